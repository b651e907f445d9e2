"""Scores beside the files of an analysis: aligned, complete, resumable, and never of a network that saw the event."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
import uproot
import yaml

from root_gnn.data.events.splits import split_table
from root_gnn.data.reading.graphs import build_graphs
from root_gnn.data.reading.read import read
from root_gnn.errors import InputError
from root_gnn.graph.batch import Batch
from root_gnn.prediction import predict as module
from root_gnn.prediction.files import note_of
from root_gnn.prediction.networks import Networks
from root_gnn.prediction.predict import predict
from root_gnn.runs.packed import pack_folder
from root_gnn.runs.run import Run
from root_gnn.runs.train import train

SMALL = (
    "data.classes={WH: WH.root, ZH: ZH.root}",
    "model.dim=8",
    "model.n_steps=1",
    "train.max_steps=2",
    "train.max_epochs=1",
    "train.batch_size=64",
)
Make = Callable[..., Run]


@pytest.fixture(scope="module")
def make(data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Make:
    """`make(name, *overrides, recipe=...)` is a run that was trained for two steps; the same name gives the same
    run.
    """
    folder, made = tmp_path_factory.mktemp("runs"), {}

    def run(name: str, *overrides: str, recipe: str = "pretrain_multiclass") -> Run:
        if name not in made:
            made[name] = train(recipe, overrides=(*SMALL, *overrides), data_dir=data_dir, run_dir=folder / name)
        return made[name]

    return run


def spec_with(run: Run, path: Path, **keys: Any) -> str:
    """The run's spec with other keys, as a file."""
    content = {**yaml.safe_load((run.folder / "spec.yaml").read_text(encoding="utf-8")), **keys}
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    return str(path)


def tree(path: Path) -> dict[str, Any]:
    with uproot.open(path) as file:
        return dict(file["scores"].arrays(library="np"))


def batch_of(run: Run, path: Path) -> Batch:
    """A whole file as a batch, by the public functions."""
    return build_graphs(read(path, run.spec), run.spec)


def test_scores_stand_beside_their_entries_also_of_those_a_selection_drops(
    make: Make, data_dir: Path, tmp_path: Path
) -> None:
    run = make("seed1")
    spec = spec_with(run, tmp_path / "cut.yaml", select="njet >= 4")
    (everything,) = predict(run, [data_dir / "WH.root"], out=tmp_path / "all")
    (cut,) = predict(run, [data_dir / "WH.root"], out=tmp_path / "cut", spec=spec)
    with uproot.open(data_dir / "WH.root") as file:
        n_jet = file["Events"]["njet"].array(library="np")
    passes = n_jet >= 4
    assert 0 < passes.sum() < len(passes)
    scores, kept = tree(everything), tree(cut)
    assert len(scores["status"]) == len(kept["status"]) == len(n_jet)
    assert np.array_equal(kept["status"], np.where(passes, module.SCORED, module.LEFT_OUT))
    for name in ("score_WH", "score_ZH"):
        assert np.array_equal(np.isnan(kept[name]), ~passes)
        np.testing.assert_allclose(kept[name][passes], scores[name][passes], atol=1e-6)
    np.testing.assert_allclose(scores["score_WH"] + scores["score_ZH"], 1, atol=1e-6)


def test_scores_are_those_of_the_evaluation(make: Make, data_dir: Path, tmp_path: Path) -> None:
    run = make("seed1")
    own = pq.read_table(run.folder / "predictions" / "test.parquet").to_pydict()
    (path,) = predict(run, [data_dir / "WH.root"], out=tmp_path, form="parquet")
    rows = pq.read_table(path).to_pydict()
    scores = dict(zip(rows["eventNumber"], rows["score_ZH"], strict=True))
    of_wh = [row for row in zip(own["eventNumber"], own["score_ZH"], own["label"], strict=True) if row[2] == 0]
    expected = [(number, score) for number, score, _ in of_wh]
    assert len(expected) > 10
    np.testing.assert_allclose([scores[number] for number, _ in expected], [score for _, score in expected], atol=1e-6)


def test_real_data_need_neither_label_nor_weight(make: Make, data_dir: Path, tmp_path: Path) -> None:
    run = make("seed1")
    with uproot.open(data_dir / "WH.root") as file:
        content = file["Events"].arrays()
    gone = {"weight", *(value.text for value in run.spec.truth.values())}
    assert len(gone) > 10
    columns = {name: content[name] for name in content.fields if name not in gone}
    with uproot.recreate(tmp_path / "data.root") as file:
        file.mktree("Events", {name: ak.type(column).content for name, column in columns.items()}).extend(columns)
    (bare,) = predict(run, [tmp_path / "data.root"], out=tmp_path / "a")
    (full,) = predict(run, [data_dir / "WH.root"], out=tmp_path / "b")
    assert np.array_equal(tree(bare)["score_ZH"], tree(full)["score_ZH"])


def test_embeddings_cost_no_second_pass(make: Make, data_dir: Path, tmp_path: Path) -> None:
    run = make("beside", "objective.beside=true")
    seen: list[int] = []
    hook = run.encoder.register_forward_hook(lambda encoder, inputs, encoded: seen.append(inputs[0].n_graph))
    (path,) = predict(run, [data_dir / "WH.root"], out=tmp_path, embeddings=True)
    hook.remove()
    found, batch = tree(path), batch_of(run, data_dir / "WH.root")
    assert seen == [batch.n_graph]
    names = [name for name in found if name.startswith("embedding_")]
    assert names == [f"embedding_{place}" for place in range(run.encoder.dim)]
    with torch.inference_mode():
        expected = run.encoder(batch).globals.numpy()
    np.testing.assert_allclose(np.stack([found[name] for name in names], axis=1), expected, rtol=1e-4, atol=1e-5)
    (without,) = predict(run, [data_dir / "WH.root"], out=tmp_path / "plain")
    assert np.array_equal(tree(without)["score_ZH"], found["score_ZH"])


def test_a_network_of_labels_gives_each_its_probability(make: Make, data_dir: Path, tmp_path: Path) -> None:
    run = make("labels", recipe="pretrain_multilabel")
    found = tree(predict(run, [data_dir / "WH.root"], out=tmp_path)[0])
    names = [f"score_{slot}_exists" for slot in ("higgs", "top1", "top2", "W", "Z")]
    assert list(found) == ["status", *names]
    with torch.inference_mode():
        expected = torch.sigmoid(run.objective.logits(batch_of(run, data_dir / "WH.root"))).numpy()
    np.testing.assert_allclose(np.stack([found[name] for name in names], axis=1), expected, atol=1e-6)


def test_a_network_without_labels_gives_embeddings_alone(make: Make, data_dir: Path, tmp_path: Path) -> None:
    run = make("unlabelled", recipe="pretrain_contrastive")
    with pytest.raises(InputError, match="--embeddings"):
        predict(run, [data_dir / "WH.root"], out=tmp_path)
    found = tree(predict(run, [data_dir / "WH.root"], out=tmp_path, embeddings=True)[0])
    assert list(found) == ["status", *(f"embedding_{place}" for place in range(run.encoder.dim))]
    assert np.isfinite(found["embedding_0"]).all() and found["embedding_0"].std() > 0


def test_blinded_events_are_flagged_and_show_nothing(make: Make, data_dir: Path, tmp_path: Path) -> None:
    run = make("seed1")
    (open_,) = predict(run, [data_dir / "WH.root"], out=tmp_path / "a", embeddings=True)
    middle = float(np.median(tree(open_)["score_ZH"]))
    (path,) = predict(run, [data_dir / "WH.root"], out=tmp_path / "b", blind=f"ZH>{middle}", embeddings=True)
    before, after = tree(open_), tree(path)
    hidden = before["score_ZH"] > np.float32(middle)
    assert np.array_equal(after["status"] == module.BLINDED, hidden)
    assert all(np.array_equal(np.isnan(after[name]), hidden) for name in after if name != "status")
    for wrong in ("ZZ>0.5", "ZH>2", "ZH", "ZH>x"):
        with pytest.raises(InputError, match="CLASS>THRESHOLD"):
            predict(run, [data_dir / "WH.root"], out=tmp_path / "c", blind=wrong)


def test_an_interruption_costs_only_the_file_at_work(
    make: Make, data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, files = make("seed1"), [data_dir / f"{name}.root" for name in ("WH", "ZH", "ttH")]
    unbroken = predict(run, files, out=tmp_path / "unbroken", form="parquet")
    seen: list[str] = []
    own = Networks.on

    def stopped_at(n: int) -> None:
        def on(self: Networks, table: Any, **keys: Any) -> Any:
            if len(seen) == n:
                raise KeyboardInterrupt
            seen.append(table.files[0].name)
            return own(self, table, **keys)

        monkeypatch.setattr(Networks, "on", on)

    stopped_at(2)
    with pytest.raises(KeyboardInterrupt):
        predict(run, files, out=tmp_path / "broken", form="parquet")
    assert sorted(path.name for path in (tmp_path / "broken").iterdir()) == ["WH.scores.parquet", "ZH.scores.parquet"]
    stopped_at(-1)
    written = predict(run, files, out=tmp_path / "broken", form="parquet")
    assert seen == ["WH.root", "ZH.root", "ttH.root"]
    assert [path.read_bytes() for path in written] == [path.read_bytes() for path in unbroken]


def test_jobs_share_the_files(make: Make, data_dir: Path, tmp_path: Path) -> None:
    files = [data_dir / f"{name}.root" for name in ("WH", "ZH", "ttH")]
    parts = [predict(make("seed1"), files, out=tmp_path, part=f"{k}/2") for k in (1, 2)]
    assert [[path.name for path in part] for part in parts] == [
        ["WH.scores.root", "ttH.scores.root"],
        ["ZH.scores.root"],
    ]
    for wrong in ("0/2", "3/2", "x", "1"):
        with pytest.raises(InputError, match="K/N"):
            predict(make("seed1"), files, out=tmp_path, part=wrong)


def test_a_packed_run_is_the_run_that_was_packed(make: Make, data_dir: Path, tmp_path: Path) -> None:
    run = make("seed1")
    (path,) = predict(run, [data_dir / "WH.root"], out=tmp_path)
    packed = pack_folder(run.folder, run.checkpoint, tmp_path / f"{run.name}.safetensors")
    before = path.stat().st_mtime_ns
    assert predict(packed, [data_dir / "WH.root"], out=tmp_path) == [path]
    assert path.stat().st_mtime_ns == before


def test_scores_of_something_else_are_never_taken_for_these(make: Make, data_dir: Path, tmp_path: Path) -> None:
    (path,) = predict(make("seed1"), [data_dir / "WH.root"], out=tmp_path)
    assert note_of(path, "root")["runs"][0]["name"] == "seed1"
    with pytest.raises(InputError, match="another runs"):
        predict(make("seed2", "seed=2"), [data_dir / "WH.root"], out=tmp_path)
    before = tree(path)["score_ZH"]
    predict(make("seed2", "seed=2"), [data_dir / "WH.root"], out=tmp_path, overwrite=True)
    assert not np.array_equal(tree(path)["score_ZH"], before)
    (tmp_path / "ZH.scores.root").write_text("somebody's own", encoding="utf-8")
    with pytest.raises(InputError, match="not written by"):
        predict(make("seed1"), [data_dir / "ZH.root"], out=tmp_path)
    (tmp_path / "other").mkdir()
    shutil.copy(data_dir / "WH.root", tmp_path / "other")
    with pytest.raises(InputError, match="would both be scored"):
        predict(make("seed1"), [data_dir / "WH.root", tmp_path / "other" / "WH.root"], out=tmp_path / "new")


def test_an_ensemble_is_mean_and_spread_of_its_seeds(make: Make, data_dir: Path, tmp_path: Path) -> None:
    runs = [make(f"seed{seed}", f"seed={seed}") for seed in (1, 2)]
    single = np.stack(
        [tree(predict(run, [data_dir / "WH.root"], out=tmp_path / run.name)[0])["score_ZH"] for run in runs]
    ).astype(float)
    (path,) = predict(runs[0], [data_dir / "WH.root"], out=tmp_path / "all", others=runs[1:])
    found = tree(path)
    np.testing.assert_allclose(found["score_ZH"], single.mean(axis=0), atol=1e-6)
    np.testing.assert_allclose(
        found["spread_ZH"], np.sqrt(((single - single.mean(axis=0)) ** 2).sum(axis=0)), atol=1e-6
    )
    assert found["spread_ZH"].max() > 1e-4
    with pytest.raises(InputError, match="named twice"):
        predict(runs[0], [data_dir / "WH.root"], out=tmp_path / "x", others=[runs[0]])


def test_an_event_is_scored_by_the_fold_that_did_not_train_on_it(make: Make, data_dir: Path, tmp_path: Path) -> None:
    runs = [make(f"fold{fold}", "data.split.n_fold=2", f"data.split.fold={fold}") for fold in range(2)]
    paths = predict(
        runs[1], [data_dir / "WH.root", data_dir / "ZH.root"], out=tmp_path, others=runs[:1], form="parquet"
    )
    scores = np.concatenate([pq.read_table(path).column("score_ZH").to_numpy() for path in paths])
    numbers = np.concatenate([pq.read_table(path).column("eventNumber").to_numpy() for path in paths])
    seen = np.zeros(len(scores), dtype=int)
    for run in runs:
        table = run.table(data_dir)
        splits = split_table(table, run.recipe.data.split)
        assert not np.isin(table.ids[splits.train][:, 1], table.ids[splits.test][:, 1]).any()
        own = pq.read_table(run.folder / "predictions" / "test.parquet")
        here = np.isin(numbers, own.column("eventNumber").to_numpy())
        expected = dict(zip(own.column("eventNumber").to_pylist(), own.column("score_ZH").to_pylist(), strict=True))
        np.testing.assert_allclose(scores[here], [expected[number] for number in numbers[here].tolist()], atol=1e-6)
        seen += here
    assert (seen == 1).all()


def test_several_seeds_of_each_fold_are_averaged_fold_by_fold(make: Make, data_dir: Path, tmp_path: Path) -> None:
    runs = {
        (fold, seed): make(
            f"fold{fold}" + ("" if seed == 1 else f"seed{seed}"),
            "data.split.n_fold=2",
            f"data.split.fold={fold}",
            f"seed={seed}",
        )
        for fold in range(2)
        for seed in (1, 2)
    }
    single = [
        tree(predict(runs[0, seed], [data_dir / "WH.root"], out=tmp_path / f"{seed}", others=[runs[1, seed]])[0])
        for seed in (1, 2)
    ]
    together = [runs[key] for key in ((0, 2), (1, 2), (1, 1))]
    (path,) = predict(runs[0, 1], [data_dir / "WH.root"], out=tmp_path / "all", others=together)
    each = np.stack([one["score_ZH"] for one in single]).astype(float)
    np.testing.assert_allclose(tree(path)["score_ZH"], each.mean(axis=0), atol=1e-6)
    np.testing.assert_allclose(tree(path)["spread_ZH"], each.std(axis=0, ddof=1), atol=1e-6)
    with pytest.raises(InputError, match="as many for each fold"):
        predict(runs[0, 1], [data_dir / "WH.root"], out=tmp_path / "uneven", others=together[1:])


def test_folds_that_do_not_cover_every_event_are_refused(make: Make, data_dir: Path, tmp_path: Path) -> None:
    runs = [make(f"fold{fold}", "data.split.n_fold=2", f"data.split.fold={fold}") for fold in range(2)]
    with pytest.raises(InputError, match="missing is fold 1"):
        predict(runs[0], [data_dir / "WH.root"], out=tmp_path)
    with pytest.raises(InputError, match="no common folds"):
        predict(runs[0], [data_dir / "WH.root"], out=tmp_path, others=[*runs[1:], make("seed1")])
    spec = spec_with(runs[0], tmp_path / "no_id.yaml", id=[])
    with pytest.raises(InputError, match=r"WH\.root: the fold of an event is told by its id"):
        predict(runs[0], [data_dir / "WH.root"], out=tmp_path, others=runs[1:], spec=spec)


def test_every_variation_has_its_own_scores(make: Make, data_dir: Path, tmp_path: Path) -> None:
    run = make("seed1")
    nodes = yaml.safe_load((run.folder / "spec.yaml").read_text(encoding="utf-8"))["nodes"]
    nodes["jet"]["features"]["pt"] = ["jet_pt%SYS%"]
    varied = spec_with(run, tmp_path / "varied.yaml", nodes=nodes, systematics=["", "_up"], select="sum(jet_pt) > 200")
    with uproot.open(data_dir / "WH.root") as file:
        content = file["Events"].arrays()
    for name, factor in (("both", 1.0), ("up", 1.3)):
        columns = {**{key: content[key] for key in content.fields}, "jet_pt": content["jet_pt"] * np.float32(factor)}
        columns |= {"jet_pt_up": content["jet_pt"] * np.float32(1.3)} if name == "both" else {}
        with uproot.recreate(tmp_path / f"{name}.root") as file:
            file.mktree("Events", {key: ak.type(value).content for key, value in columns.items()}).extend(columns)
    plain = spec_with(run, tmp_path / "plain.yaml", select="sum(jet_pt) > 200")
    (both,) = predict(run, [tmp_path / "both.root"], out=tmp_path / "s", spec=varied, systematics=True)
    (up,) = predict(run, [tmp_path / "up.root"], out=tmp_path / "s", spec=plain)
    (nominal,) = predict(run, [data_dir / "WH.root"], out=tmp_path / "s", spec=plain)
    found = tree(both)
    assert not np.array_equal(found["status_"], found["status__up"])
    for suffix, single in (("_", nominal), ("__up", up)):
        assert np.array_equal(found[f"status{suffix}"], tree(single)["status"])
        np.testing.assert_allclose(found[f"score_ZH{suffix}"], tree(single)["score_ZH"], atol=1e-6)
    with pytest.raises(InputError, match="--systematics"):
        predict(run, [data_dir / "WH.root"], out=tmp_path / "x", systematics=True)


def test_a_file_that_is_damaged_stops_or_is_left_out(make: Make, data_dir: Path, tmp_path: Path) -> None:
    run = make("seed1")
    content = (data_dir / "WH.root").read_bytes()
    (tmp_path / "cut.root").write_bytes(content[: len(content) // 2])
    files = [tmp_path / "cut.root", data_dir / "ZH.root"]
    with pytest.raises(InputError, match=r"cut\.root"):
        predict(run, files, out=tmp_path / "stop")
    spec = spec_with(run, tmp_path / "skip.yaml", on_bad_file="skip")
    assert [path.name for path in predict(run, files, out=tmp_path / "skip", spec=spec)] == ["ZH.scores.root"]
    assert [path.name for path in (tmp_path / "skip").iterdir()] == ["ZH.scores.root"]


def test_parquet_has_ids_where_they_are_known(make: Make, data_dir: Path, tmp_path: Path) -> None:
    run = make("seed1")
    spec = spec_with(run, tmp_path / "cut.yaml", select="njet >= 4")
    (path,) = predict(run, [data_dir / "WH.root"], out=tmp_path, form="parquet", spec=spec, embeddings=True)
    table = pq.read_table(path)
    found = table.column("eventNumber").to_pylist()
    with uproot.open(data_dir / "WH.root") as file:
        numbers, n_jet = (file["Events"][name].array(library="np") for name in ("eventNumber", "njet"))
    assert found == [int(number) if passes else None for number, passes in zip(numbers, n_jet >= 4, strict=True)]
    assert sum(name.startswith("embedding_") for name in table.column_names) == run.encoder.dim
    assert json.loads(pq.read_schema(path).metadata[b"root_gnn"])["input"]["name"] == "WH.root"
