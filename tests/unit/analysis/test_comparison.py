from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sklearn.metrics import roc_auc_score

from root_gnn.analysis.comparison import Comparison, Difference
from root_gnn.analysis.predictions import read_predictions
from root_gnn.errors import InputError
from root_gnn.metrics.bootstrap import PairedDifference, paired_difference, seed_mean
from root_gnn.runs.run import Run


def copied(runs: Sequence[Run], folder: Path) -> list[Run]:
    return [Run(Path(shutil.copytree(run.folder, folder / run.name))) for run in runs]


def rewrite(run: Run, **columns: np.ndarray) -> None:
    path = run.folder / "predictions" / "test.parquet"
    table = {**pq.read_table(path).to_pydict(), **columns}
    pq.write_table(pa.table({name: values for name, values in table.items() if values is not None}), path)


def score(run: Run, gain: float, *, times: int = 1) -> None:
    """Gives a run each event `times` times, and scores that separate the classes by `gain` deviations, with the
    noise of its seed.
    """
    path = run.folder / "predictions" / "test.parquet"
    pq.write_table(pa.concat_tables([pq.read_table(path)] * times), path)
    label = read_predictions(run).label
    raw = np.random.default_rng(run.recipe.seed).normal(size=len(label)) + gain * label
    rewrite(run, score_WH=raw, score_ZH=-raw)


def test_means_intervals_and_differences_are_those_of_the_bootstrap(seeds: list[Run], deeper: list[Run]) -> None:
    found = Comparison.of({"scratch": seeds, "deeper": deeper}, title="WHvsZH")
    a, b = (np.stack([read_predictions(run).scores for run in runs]) for runs in (deeper, seeds))
    one = read_predictions(seeds[0])
    assert found.groups[0].auc == seed_mean(b, one.label, one.weight)
    assert found.groups[0].auc is not None
    assert found.groups[0].auc.per_seed == pytest.approx([roc_auc_score(one.label, row) for row in b])
    assert found.differences[0].auc == paired_difference(a, b, one.label, one.weight)
    assert found.differences[0].seeds == (1, 2, 3) and found.differences[0].same_training_events
    rejection = found.groups[1].rejection["0.5"]
    assert rejection is not None
    kept = [[run.metrics["splits"]["test"]["rejection"]["0.5"]["value"] for run in runs] for runs in (deeper, seeds)]
    assert rejection.per_seed == pytest.approx(kept[0])
    paired = found.differences[0].rejection["0.5"]
    assert paired is not None
    assert paired.per_seed == pytest.approx(np.subtract(*kept)) and paired.low < paired.mean < paired.high


@pytest.mark.parametrize(("gain", "verdict"), [(2.0, "above"), (-2.0, "below"), (0.0, "not told apart")])
def test_a_claim_needs_an_interval_without_zero(seeds: list[Run], tmp_path: Path, gain: float, verdict: str) -> None:
    a, b = copied(seeds, tmp_path / "a"), copied(seeds, tmp_path / "b")
    for run in a:
        score(run, 1.0 + gain / 2.0, times=50)
    for run in b:
        score(run, 1.0 - gain / 2.0, times=50)
    found = Comparison.of({"b": b, "a": a})
    assert found.differences[0].verdict == verdict
    assert found.differences[0].rejection_verdict == {"0.3": verdict, "0.5": verdict}
    content = found.content()["differences"][0]
    assert content["verdict"] == content["rejection_verdict"]["0.5"] == verdict
    paired = found.differences[0].rejection["0.5"]
    assert paired is not None and content["rejection"]["0.5"]["mean"] == paired.mean
    row = next(line for line in str(found).splitlines() if line.startswith("| a, at 50 % signal"))
    assert (
        f"{paired.mean:+.2f} [{paired.low:+.2f}, {paired.high:+.2f}]" in row and row.split("|")[-2].strip() == verdict
    )


def test_a_rejection_that_is_not_defined_takes_no_claim_from_the_auc(seeds: list[Run], tmp_path: Path) -> None:
    perfect, base = copied(seeds, tmp_path / "perfect"), copied(seeds, tmp_path / "base")
    for run in perfect:
        score(run, 100.0)
    for run in base:
        score(run, 1.0)
    found = Comparison.of({"base": base, "perfect": perfect})
    assert found.differences[0].verdict == "above"
    assert found.differences[0].rejection_verdict == {"0.3": "not defined", "0.5": "not defined"}
    assert found.content()["differences"][0]["rejection"] == {"0.3": None, "0.5": None}
    assert "none (not defined)" in str(found)


def difference(low: float, high: float, *, n: int = 3, same: bool = True) -> Difference:
    paired = PairedDifference((low + high) / 2, low, high, tuple([(low + high) / 2] * n), n, low > 0 or high < 0)
    return Difference("a", "b", tuple(range(n)), same, paired, {"0.5": paired})


def test_the_rule_for_claims() -> None:
    assert difference(0.01, 0.02).verdict == "above"
    assert difference(-0.02, -0.01).verdict == "below"
    assert difference(-0.01, 0.02).verdict == "not told apart"
    assert difference(0.01, 0.02, n=2).verdict == "too few seeds"
    assert difference(0.01, 0.02, same=False).verdict == "other training events"
    assert Difference("a", "b", (1, 2, 3), True, None, {}).verdict == "not defined"
    assert difference(0.01, 0.02, n=2).rejection_verdict == {"0.5": "too few seeds"}


def test_two_seeds_and_another_training_size_make_no_claim(seeds: list[Run], make_run, tmp_path: Path) -> None:
    two, base = copied(seeds[:2], tmp_path / "two"), copied(seeds, tmp_path / "base")
    everything = [make_run(f"all_s{seed}", seed=seed, train_events=None) for seed in (1, 2, 3)]
    for run in two:
        score(run, 4.0)
    found = Comparison.of({"base": base, "two": two, "all": everything})
    assert [one.verdict for one in found.differences] == ["too few seeds", "other training events"]
    assert found.differences[0].seeds == (1, 2)
    assert found.groups[2].n_train > found.groups[0].n_train == 100


def test_the_text_shows_every_seed_and_the_json_can_be_read(
    seeds: list[Run], deeper: list[Run], tmp_path: Path
) -> None:
    found = Comparison.of({"scratch": seeds, "deeper": deeper}, reference="deeper")
    text = str(found)
    assert "WH against ZH" in text and "test AUC less that of deeper" in text
    auc = found.groups[0].auc
    assert auc is not None
    assert " ".join(f"{value:.3f}" for value in auc.per_seed) in text
    found.save(tmp_path / "c.json")
    content = json.loads((tmp_path / "c.json").read_text())
    assert content["groups"][0]["auc"]["mean"] == auc.mean
    assert content["differences"][0]["reference"] == "deeper"
    assert content["n_test"] == len(read_predictions(seeds[0]).label)


def test_other_test_events_are_refused(seeds: list[Run], deeper: list[Run], make_run, tmp_path: Path) -> None:
    shuffled = copied(seeds[:1], tmp_path)[0]
    number = np.array(pq.read_table(shuffled.folder / "predictions" / "test.parquet")["eventNumber"].to_pylist())
    number[[3, 4]] = number[[4, 3]]
    rewrite(shuffled, eventNumber=number)
    with pytest.raises(InputError, match="differ in their ids, first in row 3"):
        Comparison.of({"a": [shuffled], "b": deeper[:1]})
    fewer = make_run("fewer", "data.max_events=150")
    with pytest.raises(InputError, match="same events can be compared"):
        Comparison.of({"a": [fewer], "b": deeper[:1]})
    other = make_run("other_task", task="FCNCvsttbar")
    with pytest.raises(InputError, match="only runs on one task"):
        Comparison.of({"a": [other], "b": deeper[:1]})


def test_groups_that_are_no_groups_are_refused(seeds: list[Run], make_run) -> None:
    with pytest.raises(InputError, match="has a seed twice"):
        Comparison.of({"a": [seeds[0], seeds[0]]})
    with pytest.raises(InputError, match="trained on other data"):
        Comparison.of({"a": [seeds[0], make_run("less_s2", seed=2, train_events=50)]})
    with pytest.raises(InputError, match="share no seed"):
        Comparison.of({"a": seeds[:1], "b": seeds[1:]})
    with pytest.raises(InputError, match="none of the groups; did you mean scratch"):
        Comparison.of({"scratch": seeds}, reference="scrach")
    with pytest.raises(InputError, match="one run or more each and got a with 0"):
        Comparison.of({"a": []})


def test_predictions_that_are_not_there(seeds: list[Run], tmp_path: Path) -> None:
    run = copied(seeds[:1], tmp_path)[0]
    rewrite(run, label=None)
    with pytest.raises(InputError, match="no column label"):
        read_predictions(run)
    (run.folder / "predictions" / "test.parquet").unlink()
    with pytest.raises(InputError, match="root-gnn evaluate"):
        read_predictions(run)
