"""The source for pandas tables: blocks and data columns, compressions, and attributes that would run code elsewhere."""

from __future__ import annotations

import itertools
import pickle
import sys
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import vector

import root_gnn as rg
from root_gnn.data.sources.pandas_table import Config
from root_gnn.errors import InputError, MissingExtraError

N, N_SLOT = 300, 5
MOMENTA = [f"{name}_{slot}" for slot in range(N_SLOT) for name in ("E", "PX", "PY", "PZ")]
LABELS = ["ttv", "is_signal_new"]


@pytest.fixture
def columns() -> dict[str, Any]:
    rng = np.random.default_rng(1)
    numbers = {name: np.round(rng.exponential(9, N)).astype(np.float32) for name in MOMENTA}
    return {**numbers, **{name: rng.integers(0, 3, N) for name in LABELS}}


def attributes(target: Any, named: dict[str, list[Any]], protocol: int = 0) -> None:
    for field, names in named.items():
        target.attrs[f"{field}_kind"] = np.bytes_(pickle.dumps(names, protocol))


def write(path: Path, columns: dict[str, Any], *, protocol: int = 0, key: str = "table", **options: Any) -> Path:
    """What `DataFrame.to_hdf(path, key, format="table")` leaves: one block of float32 and one of int64."""
    rows = np.zeros(
        N, [("index", "i8"), ("values_block_0", "f4", (len(MOMENTA),)), ("values_block_1", "i8", (2,)), ("text", "S4")]
    )
    rows["index"] = np.arange(N)
    for block, names in (("values_block_0", MOMENTA), ("values_block_1", LABELS)):
        rows[block] = np.stack([columns[name] for name in names], axis=1)
    with h5py.File(path, "a") as file:
        group = file.create_group(key)
        group.attrs["pandas_type"] = np.bytes_("frame_table")
        group.create_group("_i_table").attrs["CLASS"] = np.bytes_("TINDEX")
        group["_i_table/junk"] = np.arange(7)
        table = group.create_dataset("table", data=rows, **({"chunks": (40,)} | options))
        table.attrs["index_kind"] = np.bytes_("integer")
        attributes(table, {"values_block_0": MOMENTA, "values_block_1": LABELS}, protocol)
    return path


@pytest.fixture
def path(columns: dict[str, Any], tmp_path: Path) -> Path:
    return write(tmp_path / "top.h5", columns, compression="gzip", shuffle=True)


def read(path: Path, *branches: str, start: int = 0, stop: int | None = None, key: str | None = None) -> dict[str, Any]:
    with Config(key=key).open(path) as source:
        return source.read(branches, start, source.n_entry if stop is None else stop)


def check(path: Path, columns: dict[str, Any]) -> None:
    arrays = read(path, *columns, start=11, stop=201)
    assert {name: array.tolist() for name, array in arrays.items()} == {
        name: values[11:201].tolist() for name, values in columns.items()
    }


def test_blocks(path: Path, columns: dict[str, Any]) -> None:
    check(path, columns)
    with Config().open(path) as source:
        assert source.branches == ("index", *MOMENTA, *LABELS)
        assert (source.type_of("E_0"), source.type_of("ttv"), source.type_of("none")) == ("float32", "int64", "")
        assert str(source.read(("PX_4",), 0, 2)["PX_4"].type.content) == "float32"
    assert Config.found_in(path) == [Config(key="table")]


@pytest.mark.parametrize("protocol", range(6))
def test_names_by_any_pickle_protocol(columns: dict[str, Any], tmp_path: Path, protocol: int) -> None:
    check(write(tmp_path / "p.h5", columns, protocol=protocol), columns)


def test_data_columns(columns: dict[str, Any], tmp_path: Path) -> None:
    """`data_columns=True`: a field for each column."""
    rows = np.zeros(N, [("index", "i8"), *[(name, values.dtype) for name, values in columns.items()]])
    for name, values in columns.items():
        rows[name] = values
    with h5py.File(tmp_path / "d.h5", "w") as file:
        file["deep/key/table"] = rows
        file["deep/key"].attrs["pandas_type"] = "frame_table"
        attributes(file["deep/key/table"], {name: [name] for name in columns})
    check(tmp_path / "d.h5", columns)
    assert Config.found_in(tmp_path / "d.h5") == [Config(key="deep/key")]


def write_pytables(path: Path, columns: dict[str, Any], library: str) -> Path:
    tables = pytest.importorskip("tables")
    rows = np.zeros(N, [("index", "i8"), ("values_block_0", "f4", (len(MOMENTA),)), ("values_block_1", "i8", (2,))])
    for block, names in (("values_block_0", MOMENTA), ("values_block_1", LABELS)):
        rows[block] = np.stack([columns[name] for name in names], axis=1)
    with tables.open_file(path, "w") as file:
        group = file.create_group("/", "table")
        group._v_attrs.pandas_type = "frame_table"
        table = file.create_table(group, "table", rows, filters=tables.Filters(5, library), chunkshape=(40,))
        table.attrs.values_block_0_kind, table.attrs.values_block_1_kind = MOMENTA, LABELS
    return path


@pytest.mark.parametrize("library", ["zlib", "blosc", "blosc:lz4"])
def test_files_of_pytables(
    columns: dict[str, Any], tmp_path: Path, library: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_pytables(tmp_path / "t.h5", columns, library)
    check(path, columns)
    assert read(path, "E_1", start=5, stop=5)["E_1"].tolist() == []
    if library.startswith("blosc"):
        monkeypatch.setitem(sys.modules, "blosc2", None)
        with pytest.raises(
            MissingExtraError, match=r"compressed with blosc; reading it needs the package blosc2.*root_gnn\[io\]"
        ):
            read(path, "E_1")


def test_damaged_blosc(columns: dict[str, Any], tmp_path: Path) -> None:
    path = write_pytables(tmp_path / "t.h5", columns, "blosc")
    with h5py.File(path) as file:
        place = file["table/table"].id.get_chunk_info(2).byte_offset
    content = bytearray(path.read_bytes())
    for offset, length in ((place + 4, 4), (place, 64)):
        content[offset : offset + length] = b"\xff" * length
        path.write_bytes(content)
        with pytest.raises(InputError, match="the table table cannot be read at rows 0 to 299; the file is damaged"):
            read(path, "E_1")


def test_a_compression_nobody_knows(tmp_path: Path) -> None:
    tables = pytest.importorskip("tables")
    with tables.open_file(tmp_path / "t.h5", "w") as file:
        group = file.create_group("/", "table")
        group._v_attrs.pandas_type = "frame_table"
        file.create_table(group, "table", np.zeros(N, [("E_0", "f4")]), filters=tables.Filters(5, "bzip2"))
    with pytest.raises(InputError, match=r"compressed with bzip2 \(filter 307\).*ptrepack --complib=zlib"):
        read(tmp_path / "t.h5", "E_0")


def test_chunks_cover_the_table(path: Path, columns: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("root_gnn.data.formats.fixed_rows.CHUNK_BYTES", 10_000)
    with Config().open(path) as source:
        ranges = list(source.chunks(("E_0",)))
        parts = [source.read(("PZ_2",), *span)["PZ_2"].tolist() for span in ranges]
    assert ranges == [(0, 80), (80, 160), (160, 240), (240, 300)]
    assert list(itertools.chain(*parts)) == columns["PZ_2"].tolist()


class Exploit:
    """Whatever unpickles this has run code of the file."""

    def __reduce__(self) -> Any:
        return exec, ("raise SystemExit('code of the file ran')",)


def test_attributes_are_never_unpickled(path: Path) -> None:
    for names, reason in (([Exploit()], "such a list can run code"), (MOMENTA[:3], r"\(20,\) columns and 3 names")):
        with h5py.File(path, "a") as file:
            attributes(file["table/table"], {"values_block_0": names})
        with pytest.raises(InputError, match=reason):
            read(path, "E_0")


def test_names_and_keys_that_are_not_there(path: Path, columns: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="the table table has no column e_0; did you mean E_0"):
        read(path, "e_0")
    with pytest.raises(InputError, match="there is no pandas table data in this file; it holds: table"):
        read(path, "E_0", key="data")
    write(path, columns, key="second")
    with pytest.raises(InputError, match="the file holds the tables second, table; say which"):
        read(path, "E_0")
    assert len(read(path, "E_0", key="/second")["E_0"]) == N


def test_other_files(tmp_path: Path, data_dir: Path) -> None:
    with pytest.raises(InputError, match="it is ROOT"):
        read(data_dir / "WH.root", "x")
    with h5py.File(tmp_path / "plain.h5", "w") as file:
        file["x"] = np.arange(3)
    with pytest.raises(InputError, match="no pandas table in this file; read other HDF5 files with source"):
        read(tmp_path / "plain.h5", "x")
    with h5py.File(tmp_path / "fixed.h5", "w") as file:
        file["df/block0_values"] = np.ones((3, 2))
        file["df"].attrs["pandas_type"] = "frame"
    with pytest.raises(InputError, match=r'df was written by pandas in its fixed format.*format="table"'):
        read(tmp_path / "fixed.h5", "x")


def test_truncated(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(InputError, match="truncated"):
        read(path, "E_0")


def test_real_layout(real_data: Path) -> None:
    file = real_data / "standin" / "standin_toptag_layout_a.h5"
    arrays = read(file, "E_0", "PX_3", "truthPZ", "is_signal_new")
    with h5py.File(file) as direct:
        block, labels = direct["table/table"]["values_block_0"], direct["table/table"]["values_block_1"]
    assert len(arrays["E_0"]) == 29
    assert sum(arrays["is_signal_new"].tolist()) == 22
    for name, expected in {
        "E_0": block[:, 0],
        "PX_3": block[:, 13],
        "truthPZ": block[:, 803],
        "is_signal_new": labels[:, 1],
    }.items():
        assert arrays[name].tolist() == expected.tolist()


def test_top_tagging_graphs(real_data: Path) -> None:
    """Constituents against the slots that hold energy, and momenta against vector."""
    file = real_data / "standin" / "standin_toptag_layout_a.h5"
    spec = rg.load_spec("top_tagging")
    records = rg.read(file, spec)
    batch = rg.build_graphs(records, spec)
    with h5py.File(file) as direct:
        block, labels = direct["table/table"]["values_block_0"], direct["table/table"]["values_block_1"]
    slots = block[:, :800].reshape(29, 200, 4).astype(float)
    real = slots[:, :, 0] > 0
    energy, px, py, pz = slots[real].T
    momenta: Any = vector.array({"px": px, "py": py, "pz": pz, "E": energy})
    assert batch.n_node.tolist() == real.sum(axis=1).tolist()
    for column, expected in enumerate((momenta.pt, momenta.eta, momenta.phi, momenta.E)):
        np.testing.assert_allclose(batch.nodes[:, column], expected, rtol=1e-5, atol=1e-5)
    assert batch.labels["label"].tolist() == labels[:, 1].tolist()
    named = np.array([0, 2, 1])  # train, validation, test by our numbers, from 0 train, 1 test, 2 validation
    assert records["split"].tolist() == named[labels[:, 0]].tolist()
