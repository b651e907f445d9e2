from __future__ import annotations

import json
import shutil
import signal
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from scipy.stats import norm
from sklearn.metrics import roc_auc_score
from torch import Tensor, nn

from root_gnn.analysis.linear_probe import probe
from root_gnn.analysis.probe_results import Probed, Probes
from root_gnn.cli import app as cli
from root_gnn.data.events.splits import split_table
from root_gnn.errors import InputError
from root_gnn.graph.batch import Batch
from root_gnn.graph.hashing import uniform
from root_gnn.protocols import Encoder
from root_gnn.runs.run import Run


class Oracle(Encoder):
    """Knows the label, `gain` deviations under the noise of each event."""

    def __init__(self, gain: float) -> None:
        nn.Module.__init__(self)
        self.dim, self.gain = 3, gain

    def forward(self, batch: Batch) -> Batch:
        assert batch.ids is not None
        noise = torch.stack(
            [torch.special.ndtri(uniform(batch.ids, (column,)).clamp(1e-9, 1.0)) for column in range(3)], dim=1
        )
        return batch.replace(
            globals=noise + self.gain * batch.labels["label"].unsqueeze(1) * torch.tensor([0.0, 1.0, 0.0])
        )

    def layers(self, batch: Batch) -> dict[str, Tensor]:
        return {"encoder": self(batch).globals}


class OracleRun(Run):
    """A run whose encoder is an oracle."""

    gain = 0.0

    @property
    def encoder(self) -> Encoder:
        return Oracle(self.gain)


def oracle(run: Run, gain: float, folder: Path) -> Run:
    found = OracleRun(Path(shutil.copytree(run.folder, folder)))
    found.gain = gain
    return found


def named(found: Probes) -> dict[str, Probed]:
    return {one.name: one for one in found.probed}


def test_what_is_there_is_read_off_and_what_is_not_is_not(seeds: list[Run], ntuples: Path, tmp_path: Path) -> None:
    runs = [
        oracle(seeds[0], gain, tmp_path / name) for name, gain in (("much", 3.0), ("little", 1.0), ("nothing", 0.0))
    ]
    found = probe(runs, task="WHvsZH", train_events=200, data_dir=ntuples, out=tmp_path / "out")
    for name, gain in (("much", 3.0), ("little", 1.0), ("nothing", 0.0)):
        one = named(found)[name]
        assert one.auc is not None and one.accuracy is not None and one.dim == 3
        assert one.auc.mean == pytest.approx(norm.cdf(gain / np.sqrt(2.0)), abs=0.1)
        assert one.accuracy.mean == pytest.approx(norm.cdf(gain / 2.0), abs=0.12)
        assert len(set(one.auc.per_seed)) > 1, "each seed draws other training events"
    content = json.loads((tmp_path / "out" / "probe.json").read_text())
    claims = {(one["run"], one["reference"]): one["verdict"] for one in content["differences"]}
    assert claims == {(name, "much"): {"accuracy": "below", "auc": "below"} for name in ("little", "nothing")}
    assert content["events"]["training"] == 200 and content["seeds"] == [1, 2, 3] and content["classes"] == ["ZH", "WH"]
    text = (tmp_path / "out" / "probe.md").read_text()
    assert text == f"{found}\n" and "| nothing less much |" in text and "converged" not in text


def test_runs_keep_their_figures_in_any_order(
    seeds: list[Run], deeper: list[Run], ntuples: Path, tmp_path: Path
) -> None:
    runs = [seeds[0], deeper[0], seeds[1]]
    how = {"train_events": 100, "seeds": (1, 2), "inputs": True, "data_dir": ntuples, "out": tmp_path}
    first, second = (probe(order, task="WHvsZH", **how) for order in (runs, runs[::-1]))
    assert named(first) == named(second) and list(named(first)) != list(named(second))
    assert set(first.gains) == set(second.gains) and len(first.gains) == 3 * 2
    dims = {one.name: one.dim for one in first.probed if one.kind == "inputs"}
    n_feature = len(seeds[0].spec.node_features)
    assert dims == {"inputs, pooled": 2 * n_feature + 1, "inputs, 30 hardest nodes": 30 * n_feature}


def test_random_networks_are_those_that_the_seeds_give(
    seeds: list[Run],
    deeper: list[Run],
    make_run,
    ntuples: Path,
    tmp_path: Path,
) -> None:
    found = probe(
        [seeds[0], seeds[1], deeper[0]], task="WHvsZH", train_events=100, random=True, data_dir=ntuples, out=tmp_path
    )
    random = {name: one for name, one in named(found).items() if one.kind == "random"}
    both, own = (f"random encode_process_decode as in {run.name}" for run in (seeds[0], deeper[0]))
    assert set(random) == {both, own}
    assert [(gain.run, gain.reference) for gain in found.gains] == [
        ("scratch_s1", both),
        ("scratch_s2", both),
        ("deeper_s1", own),
    ]
    for one in random.values():
        assert one.auc is not None and len(set(one.auc.per_seed)) == 3
    for place, seed in enumerate(
        (1, 2, 3)
    ):  # runs of conftest hold the weights that their seed gives, with a scaling of their own
        began = make_run(f"began_{seed}", seed=seed, train_events=None)
        alone = probe(
            [began], task="WHvsZH", train_events=100, seeds=[seed], random=True, data_dir=ntuples, out=tmp_path
        )
        as_run, as_random = named(alone).values()
        assert as_run.auc is not None and as_random.auc is not None
        assert as_run.auc.per_seed == as_random.auc.per_seed, place


def test_figures_are_those_of_scikit_learn_on_the_same_fits(
    seeds: list[Run], ntuples: Path, tmp_path: Path, monkeypatch
) -> None:
    kept = {}
    from root_gnn.analysis import linear_probe

    results = linear_probe._results
    monkeypatch.setattr(
        linear_probe,
        "_results",
        lambda events, fits, references: kept.update(fits) or results(events, fits, references),
    )
    found = probe([seeds[0]], task="WHvsZH", train_events=100, data_dir=ntuples, out=tmp_path)
    table = seeds[0].table(ntuples)
    label = table.label[split_table(table, seeds[0].recipe.data.split).test]
    (fits,), one = kept.values(), found.probed[0]
    assert one.auc is not None and one.accuracy is not None
    assert one.auc.per_seed == pytest.approx([roc_auc_score(label, fit.probabilities[:, 1]) for fit in fits])
    assert one.accuracy.per_seed == pytest.approx([np.mean(fit.probabilities.argmax(axis=1) == label) for fit in fits])


def test_a_run_that_has_seen_test_events_is_refused(one_run: Run, ntuples: Path, tmp_path: Path) -> None:
    path = one_run.folder / "config.yaml"
    recipe = yaml.safe_load(path.read_text())
    recipe["data"] |= {"split": {"train": 0.9, "validation": 0.05, "test": 0.05}, "train_events": None}
    path.write_text(yaml.safe_dump(recipe))
    with pytest.raises(InputError, match=r"one_run was trained on \d+ of the \d+ test events"):
        probe([one_run.folder], task="WHvsZH", data_dir=ntuples, out=tmp_path)


def test_what_makes_no_sense_is_refused(seeds: list[Run], make_run, ntuples: Path, tmp_path: Path) -> None:
    def asked(runs: list[Run], **how: object) -> Probes:
        return probe(runs, **{"task": "WHvsZH", "data_dir": ntuples, "out": tmp_path, **how})

    with pytest.raises(InputError, match="one run or more"):
        asked([])
    with pytest.raises(InputError, match="each once, and got 1 1"):
        asked(seeds, seeds=(1, 1))
    with pytest.raises(InputError, match="1 training events are too few for the 2 classes"):
        asked(seeds, train_events=1)
    with pytest.raises(InputError, match="reads the node features"):
        asked([make_run("of_jets", task="TopvsQCD", train_events=None)])
    (tmp_path / "unlabelled.yaml").write_text("name: unlabelled\ndata: {files: [WH.root]}\n")
    with pytest.raises(InputError, match="unlabelled lacks two classes"):
        asked(seeds, task=str(tmp_path / "unlabelled.yaml"))
    found = split_table(seeds[0].table(ntuples), seeds[0].recipe.data.split).train
    n_least = int(np.bincount(seeds[0].table(ntuples).label[found]).min())
    assert asked(seeds[:1], seeds=(1,)).events["training"] == n_least


def test_the_command_writes_both_files_on_jets(
    make_run,
    ntuples: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    run, before = make_run("jets", task="TopvsQCD", train_events=None), signal.getsignal(signal.SIGTERM)
    try:
        with pytest.raises(SystemExit) as left:
            cli.main(
                [
                    "probe",
                    str(run.folder),
                    "--task",
                    "TopvsQCD",
                    "--set",
                    "name=tops",
                    "--train-events",
                    "40",
                    "--seeds",
                    "4",
                    "5",
                    "--random",
                    "--inputs",
                    "--data-dir",
                    str(ntuples),
                    "--out",
                    str(tmp_path / "out"),
                ]
            )
    finally:
        signal.signal(signal.SIGTERM, before)
    assert left.value.code == 0
    content = json.loads((tmp_path / "out" / "probe.json").read_text())
    assert content["task"] == "tops" and content["seeds"] == [4, 5]
    assert [one["kind"] for one in content["probed"]] == ["run", "random", "inputs", "inputs"]
    assert {one["verdict"]["auc"] for one in content["differences"]} == {"too few seeds"}
    assert capsys.readouterr().out == (tmp_path / "out" / "probe.md").read_text()
