"""The table: gathering against slicing, classes, yields, and copies to other processes."""

from __future__ import annotations

import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from root_gnn.config.loader import validate
from root_gnn.config.yaml import dump_yaml
from root_gnn.data.cache.shard import Shard
from root_gnn.data.events import table as table_module
from root_gnn.data.events.config import DataConfig
from root_gnn.data.events.splits import split_table
from root_gnn.data.events.table import EventTable, open_table
from root_gnn.data.reading.graphs import build_graphs
from root_gnn.data.reading.read import read
from root_gnn.data.spec.spec import load_spec
from root_gnn.errors import InputError
from root_gnn.graph.batch import concatenate
from root_gnn.graph.hashing import uniform

CLASSES = {"WH": "WH.root", "top": ["ttbar.root", "ttH.root"]}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, data_dir: Path) -> Path:
    place = tmp_path_factory.mktemp("table")
    for name in ("WH", "ttbar", "ttH"):
        shutil.copy(data_dir / f"{name}.root", place)
    return place


@pytest.fixture(autouse=True)
def own_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ROOT_GNN_CACHE", raising=False)


def open_(folder: Path, **keys: Any) -> EventTable:
    return open_table(validate(DataConfig, {"classes": CLASSES, **keys}), folder)


def test_columns(folder: Path) -> None:
    table = open_(folder)
    assert len(table) == 900
    assert table.label.tolist() == [0] * 300 + [1] * 600
    assert table.classes == ("WH", "top")
    assert "top1_pt" in table.truth
    assert table.ids.shape == (900, 3)
    assert table.split_ids.shape == (900, 2)
    assert table.weight.dtype == np.float64
    assert "900 events of 3 files" in repr(table)


def test_gather_equals_slicing_every_file(folder: Path) -> None:
    table = open_(folder)
    spec = load_spec("events")
    whole = concatenate([build_graphs(read(folder / f"{name}.root", spec), spec) for name in ("WH", "ttbar", "ttH")])
    rng = np.random.default_rng(1)
    for index in (rng.integers(0, 900, 200), np.arange(10), np.array([899, 0, 450, 450]), np.zeros(0, dtype=np.int64)):
        batch, expected = table.gather(index).check(), whole.select(torch.from_numpy(index))
        for name in ("nodes", "globals", "n_node", "graph_index", "ids", "weights"):
            torch.testing.assert_close(getattr(batch, name), getattr(expected, name), rtol=0, atol=0)
        assert batch.n_edge == expected.n_edge
        for name, values in expected.labels.items():
            torch.testing.assert_close(batch.labels[name], values, rtol=0, atol=0)
        assert batch.labels["label"].tolist() == table.label[index].tolist()


def test_a_copy_in_another_process_maps_the_files_again(folder: Path) -> None:
    table = open_(folder)
    expected = table.gather(np.arange(5))
    content = pickle.dumps(table)
    assert len(content) < 900 * 80 + 20_000  # small columns only, no nodes and no truth
    torch.testing.assert_close(pickle.loads(content).gather(np.arange(5)).nodes, expected.nodes)


def test_max_events_is_a_stable_choice(folder: Path) -> None:
    small, large, whole = (open_(folder, max_events=n) for n in (20, 50, 10**6))
    assert len(whole) == 900
    assert np.bincount(small.label).tolist() == [20, 20]
    few, many = ({tuple(row) for row in table.ids[:].tolist()} for table in (small, large))
    assert few < many
    batch = small.gather(np.arange(len(small)))
    assert batch.ids is not None
    assert batch.ids.tolist() == small.ids[:].tolist()


def test_max_events_in_blocks_as_at_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole, expected = open_(folder), open_(folder, max_events=70)
    place = uniform(torch.from_numpy(whole.ids[:]), table_module.KEEP_SALT).numpy()
    naive = [np.flatnonzero(whole.label == label)[np.argsort(place[whole.label == label])[:70]] for label in (0, 1)]
    assert expected.rows.kept is not None
    assert expected.rows.kept.tolist() == sorted(np.concatenate(naive))
    monkeypatch.setattr(table_module, "BLOCK", 64)
    again = open_(folder, max_events=70).rows.kept
    assert again is not None
    assert again.tolist() == expected.rows.kept.tolist()


def test_max_events_keeps_events_whole(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every hard event stands in two rows, of files whose ids differ in the last column alone."""
    for name in ("one", "two"):
        shutil.copy(folder / "WH.root", tmp_path / f"{name}.root")
    spec = load_spec("events").model_copy(update={"on_duplicate": "keep"})
    config = validate(DataConfig, {"classes": {"WH": ["one.root", "two.root"]}})

    def kept(**keys: Any) -> list[tuple[int, ...]]:
        table = open_table(config.model_copy(update=keys), tmp_path, spec=spec, whole_events=True)
        return [tuple(row[:-1]) for row in table.ids[:].tolist()]

    every = np.array(kept())
    place = uniform(torch.from_numpy(every), table_module.KEEP_SALT).numpy()
    naive = {tuple(row) for row in every[np.argsort(place, kind="stable")][:40].tolist()}
    assert len(naive) == 20, "the first twenty events in two rows each"
    monkeypatch.setattr(table_module, "BLOCK", 64)  # the rows of an event lie in different blocks
    few, more = kept(max_events=20), kept(max_events=50)
    assert set(few) == naive < set(more) and len(set(more)) == 50
    assert all(rows.count(one) == 2 for rows in (few, more) for one in rows)


def test_expected_yields(folder: Path) -> None:
    assert open_(folder).cross_section_weights() is None
    table = open_(folder, lumi=10.0)
    yields = table.cross_section_weights()
    assert yields is not None
    for place, shard in enumerate(table.shards):
        facts = shard.meta.metadata
        expected = facts["cross_section"] * 1e3 * 10.0 * facts["n_kept"] / facts["n_tried"]
        assert yields[table.shard_of == place].sum() == pytest.approx(expected)
    assert np.sign(yields).tolist() == np.sign(table.weight[:]).tolist()
    split = split_table(table, validate(DataConfig, {"classes": CLASSES}).split).test
    of_split = table.cross_section_weights(split)
    assert of_split is not None
    for place in range(3):
        whole = yields[table.shard_of == place].sum()
        assert of_split[table.shard_of[split] == place].sum() == pytest.approx(whole)
    few = open_(folder, lumi=10.0, max_events=50)
    assert few.cross_section_weights() == pytest.approx(yields[np.isin(table.ids[:], few.ids[:]).all(axis=1)])


def test_files_of_one_process_share_their_cross_section(folder: Path, tmp_path: Path) -> None:
    for name in ("one", "two"):
        shutil.copy(folder / "WH.root", tmp_path / f"{name}.root")
    spec = load_spec("events").model_copy(update={"on_duplicate": "keep"})
    table = open_table(validate(DataConfig, {"classes": {"WH": "*.root"}, "lumi": 1.0}), tmp_path, spec=spec)
    single = open_table(validate(DataConfig, {"classes": {"WH": "one.root"}, "lumi": 1.0}), tmp_path)
    both, one = table.cross_section_weights(), single.cross_section_weights()
    assert both is not None
    assert one is not None
    assert both.sum() == pytest.approx(one.sum())


def test_a_file_of_two_classes_is_refused(folder: Path) -> None:
    with pytest.raises(InputError, match=r"WH.root: data.classes gives this file to a and b"):
        open_table(validate(DataConfig, {"classes": {"a": "WH.root", "b": "W*.root"}}), folder)


def test_labels_from_a_branch_and_none_at_all(
    write_tree: Callable[..., Path], small_columns: dict[str, Any], small_spec: dict[str, Any], tmp_path: Path
) -> None:
    write_tree(small_columns)
    config = validate(DataConfig, {"files": "file.root"})
    bare = open_table(config, tmp_path, spec=load_spec(small_spec))
    assert bare.classes == ()
    assert "label" not in bare.gather(np.arange(3)).labels
    small_spec["label"] = {"branch": "kind", "classes": {"b": 22, "a": 11}}
    table = open_table(config, tmp_path, spec=load_spec(small_spec))
    assert table.classes == ("b", "a")
    assert table.gather(np.array([2, 1])).labels["label"].tolist() == [1, 0]
    assert table.cross_section_weights() is None


def test_a_class_without_events_is_told(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    spec = {
        "extends": "events",
        "label": {"expressions": {"few": "count(jet_pt) < 4", "many": "count(jet_pt) >= 4", "none": "met_pt < 0"}},
    }
    (folder / "lacking.yaml").write_text(dump_yaml(spec | {"name": "lacking"}))
    with caplog.at_level("WARNING", logger="root_gnn"):
        table = open_table(validate(DataConfig, {"spec": str(folder / "lacking.yaml"), "files": "WH.root"}), folder)
    assert set(np.unique(table.label)) == {0, 1} and "no event is of the class none" in caplog.text


def test_the_same_events_in_two_classes_are_told(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    shutil.copy(folder / "WH.root", folder / "copy.root")
    open_(folder)
    assert "several classes" not in caplog.text
    open_(folder, classes={"a": "WH.root", "b": "copy.root"})
    assert "300 events stand in several classes with the same ids and objects, for example entry 0 of " in caplog.text


def test_truth_is_what_all_files_have(
    write_tree: Callable[..., Path], small_columns: dict[str, Any], small_spec: dict[str, Any], tmp_path: Path
) -> None:
    small_spec["truth"]["higgs_pt"] = {"branch": "higgs_pt", "optional": True}
    write_tree(small_columns, name="a.root")
    del small_columns["higgs_pt"]
    write_tree(small_columns, name="b.root")
    config = validate(DataConfig, {"classes": {"a": "a.root", "b": "b.root"}})
    table = open_table(config, tmp_path, spec=load_spec(small_spec))
    assert table.truth == ()
    assert list(table.gather(np.arange(6)).labels) == ["label"]
    splits = split_table(table, config.split)  # the same three events in both files
    assert {tuple(row) for row in table.ids[splits.train].tolist()} == {
        tuple(row) for row in table.ids[splits.train % 3].tolist()
    }
    assert isinstance(table.shards[0], Shard)


def test_globals_stand_behind_the_number_of_nodes(small_spec: dict[str, Any], make_shard: Callable[..., Shard]) -> None:
    spec = load_spec({**small_spec, "truth": {}, "globals": {"met": "met", "ht": "ht"}})
    values = np.arange(10, dtype=np.float32).reshape(5, 2)
    shards = [
        make_shard(spec, "a", [2, 0, 1], [[1, 0], [1, 1], [1, 2]], globals=values[:3]),
        make_shard(spec, "b", [3, 1], [[2, 0], [2, 1]], globals=values[3:]),
    ]
    table = EventTable(shards, spec)
    assert table.features.globals == ("n_node", "met", "ht")
    batch = table.gather(np.array([4, 0, 3, 1])).check()
    assert batch.globals.tolist() == [[1, 8, 9], [2, 0, 1], [3, 6, 7], [0, 2, 3]]
    assert batch.nodes[:, 0].tolist() == [4, 1, 2, 1, 2, 3]  # node k of a shard has pt k + 1


def test_events_without_label_are_for_prediction_only(
    small_spec: dict[str, Any], make_shard: Callable[..., Shard]
) -> None:
    spec = load_spec(
        {**small_spec, "truth": {}, "label": {"branch": "kind", "classes": {"a": 11, "b": 22}, "optional": True}}
    )
    told = make_shard(spec, "mc", [1, 1], [[1, 0], [1, 1]], label=np.array([1, 0]))
    data = make_shard(spec, "data", [1], [[2, 0]], label=np.array([-1]))
    table = EventTable([told, data], spec, classes=spec.label.names if spec.label else ())
    assert table.label.tolist() == [1, 0, -1]
    assert table.gather(np.arange(3)).labels["label"].tolist() == [1, 0, -1]
    with pytest.raises(InputError, match=r"data.root: 1 events have no label, because the file lacks kind; .*\(a, b\)"):
        table.check_labels()
    EventTable([told], spec, classes=("a", "b")).check_labels()
    EventTable([data], spec).check_labels()  # no classes, no question
    bare = make_shard(spec, "bare", [1], [[3, 0]])
    assert EventTable([told, bare], spec, classes=("a", "b")).label.tolist() == [1, 0, -1]


def test_small_columns_only_are_in_memory(folder: Path) -> None:
    table = open_(folder)
    assert (table.label.dtype, table.n_node.dtype) == (np.int16, np.int32)  # type: ignore[comparison-overlap]
    assert table.shard_of.tolist() == [0] * 300 + [1] * 300 + [2] * 300
    with pytest.raises(IndexError, match="of a table of 900"):
        table.gather(np.array([0, 900]))
