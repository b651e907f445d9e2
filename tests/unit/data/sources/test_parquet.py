"""The parquet source: the same numbers as the ROOT file, nested columns, pieces of any size, and what it refuses."""

from __future__ import annotations

import itertools
import os
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from root_gnn.data.reading.read import read as records_of
from root_gnn.data.sources import parquet, root
from root_gnn.data.sources.parquet import Config
from root_gnn.data.spec.spec import load_spec
from root_gnn.errors import InputError


@pytest.fixture
def real_data() -> Path:
    folder = os.environ.get("ROOT_GNN_REAL_DATA")
    if not folder:
        pytest.skip("ROOT_GNN_REAL_DATA does not name the folder of real files")
    return Path(folder)


def write(folder: Path, columns: dict[str, Any], **options: Any) -> Path:
    pq.write_table(pa.table(columns), folder / "file.parquet", **options)
    return folder / "file.parquet"


def read(path: Path, *names: str, start: int = 0, stop: int | None = None) -> dict[str, Any]:
    with Config().open(path) as source:
        return source.read(names, start, source.n_entry if stop is None else stop)


def test_the_same_as_root_branch_for_branch(real_data: Path) -> None:
    tree = root.Config(tree="Events")
    with (
        Config().open(real_data / "parquet/nano_dy.parquet") as source,
        tree.open(real_data / "nanoaod/nano_dy.root") as reference,
    ):
        assert source.n_entry == reference.n_entry == 40
        assert set(source.branches) == set(reference.branches)
        ours = source.read(source.branches, 0, 40)
        theirs = reference.read(source.branches, 0, 40)
        for name in source.branches:
            assert str(ours[name].type) == str(theirs[name].type), name
            flat = [np.asarray(ak.to_numpy(ak.flatten(one, axis=None))) for one in (ours[name], theirs[name])]
            np.testing.assert_array_equal(*flat, err_msg=name)  # type: ignore[misc]
            if ours[name].ndim > 1:
                assert ak.num(ours[name]).tolist() == ak.num(theirs[name]).tolist(), name
        assert all(source.type_of(name) == reference.type_of(name) for name in source.branches[::50])


def test_nested_columns_and_types(tmp_path: Path) -> None:
    jets = [[{"pt": 1.5, "hits": [1, 2]}, {"pt": 2.5, "hits": []}], [], [{"pt": 3.5, "hits": [4]}]]
    path = write(
        tmp_path,
        {
            "jet": jets,
            "met": [{"p": {"x": 1, "y": 2.0}}] * 3,
            "kind": pa.array(["a", "b", "a"]).dictionary_encode(),
            "four": pa.array([[1, 2], [3, 4], [5, 6]], pa.list_(pa.int16(), 2)),
            "large": pa.array([[1], [], [2, 3]], pa.large_list(pa.float32())),
            "Aux.pt": pa.array([1, 2, 3], pa.uint64()),
            "ok": [True, False, True],
            "map": pa.array([[("a", 1)]] * 3, pa.map_(pa.string(), pa.int8())),
            "last": [7, 8, 9],
        },
    )
    types = {
        "jet.pt": "var * float64",
        "jet.hits": "var * var * int64",
        "met.p.x": "int64",
        "met.p.y": "float64",
        "kind": "string",
        "four": "2 * int16",
        "large": "var * float32",
        "Aux.pt": "uint64",
        "ok": "bool",
        "last": "int64",
    }
    with Config().open(path) as source:
        assert set(source.branches) == set(types)
        assert {name: source.type_of(name) for name in types} == types
        arrays = source.read(source.branches, 0, 3)
        assert {name: str(array.type.content) for name, array in arrays.items()} == types
        alone = source.read(("jet.hits",), 1, 3)["jet.hits"].tolist()
    assert arrays["jet.hits"].tolist() == [[[1, 2], []], [], [[4]]]
    assert alone == [[], [[4]]]
    assert arrays["met.p.y"].tolist() == [2.0, 2.0, 2.0]
    assert arrays["kind"].tolist() == ["a", "b", "a"]
    assert arrays["last"].tolist() == [7, 8, 9]


@pytest.mark.parametrize("extension", [True, False])
def test_what_awkward_writes(tmp_path: Path, extension: bool) -> None:
    events = ak.Array([{"jet": [{"pt": 1.0}, {"pt": 2.0}], "s": "é"}, {"jet": [], "s": ""}])
    ak.to_parquet(events, tmp_path / "a.parquet", extensionarray=extension)
    arrays = read(tmp_path / "a.parquet", "jet.pt", "s")
    assert {name: array.tolist() for name, array in arrays.items()} == {"jet.pt": [[1.0, 2.0], []], "s": ["é", ""]}


def test_pieces_are_the_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet, "BATCH_ENTRIES", 7)
    monkeypatch.setattr(parquet, "SMALLEST_CHUNK", 10)
    monkeypatch.setattr(parquet, "CHUNK_BYTES", 200)
    lists = ak.unflatten(np.arange((np.arange(100) % 7).sum()), np.arange(100) % 7)
    path = write(tmp_path, {"x": np.arange(100), "l": ak.to_arrow(lists, extensionarray=False)}, row_group_size=33)
    with Config().open(path) as source:
        whole = source.read(("l", "x"), 0, 100)
        chunks = list(source.chunks(("l", "x")))
        assert chunks[0][0] == 0
        assert chunks[-1][1] == 100
        assert len(chunks) > 2
        assert all(first[1] == second[0] for first, second in itertools.pairwise(chunks))
        assert [x for chunk in chunks for x in source.read(("x",), *chunk)["x"].tolist()] == list(range(100))
        for start, stop in [(60, 90), (10, 20), (20, 20), (33, 66), (99, 100), (100, 100), (0, 1)]:
            piece = source.read(("l", "x"), start, stop)
            assert piece["l"].tolist() == whole["l"][start:stop].tolist() == lists[start:stop].tolist()
            assert str(piece["x"].type.content) == "int64"


def test_no_rows(tmp_path: Path) -> None:
    path = write(tmp_path, {"x": pa.array([], pa.float32())})
    with Config().open(path) as source:
        assert source.n_entry == 0
        assert list(source.chunks(("x",))) == []
        assert str(source.read(("x",), 0, 0)["x"].type) == "0 * float32"


@pytest.mark.parametrize(
    "values", [[1.0, None, 2.0], [[1.0], [2.0, None], []], [[1.0], None, []], [{"pt": 1.0}, {"pt": None}, None]]
)
def test_nulls_are_refused(tmp_path: Path, values: list[Any]) -> None:
    path = write(tmp_path, {"x": [1, 2, 3], "y": values})
    name = "y.pt" if isinstance(values[0], dict) else "y"
    assert read(path, "x")["x"].tolist() == [1, 2, 3]
    with pytest.raises(
        InputError, match=rf"file.parquet: the column {name} has a null in entry 1; a missing number is not zero"
    ):
        read(path, "x", name)
    with pytest.raises(InputError, match=r"a null in entry 1"):
        read(path, name, start=1)


def test_a_null_elsewhere_in_the_batch_does_not_move(tmp_path: Path) -> None:
    path = write(tmp_path, {"x": [None, *range(1, 20)], "l": [None, *([i] for i in range(1, 20))]})
    arrays = read(path, "x", "l", start=1)
    assert arrays["x"].tolist() == list(range(1, 20))
    assert arrays["l"].tolist() == [[i] for i in range(1, 20)]


def test_refusals(tmp_path: Path) -> None:
    path = write(tmp_path, {"jet_pt": np.arange(5000.0)})
    with pytest.raises(InputError, match=r"file.parquet: there is no column jet_px; did you mean jet_pt\?"):
        read(path, "jet_px")
    content = path.read_bytes()
    for keep in (4, 100, len(content) // 2, len(content) - 1):
        path.write_bytes(content[:keep])
        with pytest.raises(InputError, match=r"truncated \([\d,]+ bytes\)"):
            read(path, "jet_pt")
    path.write_bytes(b"a,b\n1,2\n")
    with pytest.raises(InputError, match="a parquet file was expected; it is CSV"):
        Config.found_in(path)
    path.write_bytes(b"")
    with pytest.raises(InputError, match="the file is empty"):
        Config.found_in(path)


def test_damaged_pages_are_found(tmp_path: Path) -> None:
    path = write(
        tmp_path, {"x": np.arange(5000) ** 0.5}, write_page_checksum=True, compression="none", use_dictionary=False
    )
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(bytes(content))
    with pytest.raises(InputError, match=r"entries 0 to 4999 of x cannot be read; the file is damaged"):
        read(path, "x")


def test_found(tmp_path: Path) -> None:
    assert Config.found_in(write(tmp_path, {"x": [1]})) == [Config()]


def test_the_records_of_root(real_data: Path) -> None:
    ours = records_of(real_data / "parquet/nano_dy.parquet", load_spec("cms_nanoaod_parquet"))
    theirs = records_of(real_data / "nanoaod/nano_dy.root", load_spec("cms_nanoaod"))
    assert ours.tolist() == theirs.tolist()
    assert int(ak.sum(ak.num(ours["jet"]))) == 188
