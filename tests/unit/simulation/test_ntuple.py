"""The file on disk is the standard ntuple to the letter, and cutting and joining agrees with awkward."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import awkward as ak
import numpy as np
import pytest
import uproot

from root_gnn.errors import InputError
from root_gnn.simulation.ntuple import (
    EVENTS,
    Metadata,
    NtupleColumns,
    concatenate_columns,
    read_metadata,
    reorder,
    select_rows,
    write_ntuple,
)

TRUTH = {
    f"{name}_{x}": "int8_t" if x == "exists" else "float"
    for name in ("higgs", "top1", "top2", "W", "Z")
    for x in ("exists", "pt", "eta", "phi", "m")
}
KINEMATICS = {"pt": "float[]", "eta": "float[]", "phi": "float[]", "e": "float[]"}
STANDARD = {
    "njet": "int32_t",
    "nele": "int32_t",
    "nmu": "int32_t",
    "nph": "int32_t",
    **{f"{name}_{x}": kind for name in ("jet", "ele", "mu", "ph") for x, kind in KINEMATICS.items()},
    "jet_btag": "int8_t[]",
    "jet_truthflav": "int8_t[]",
    "ele_charge": "int8_t[]",
    "mu_charge": "int8_t[]",
    "met_met": "float",
    "met_phi": "float",
    "met_sumet": "float",
    "eventNumber": "int64_t",
    "resimulation": "int16_t",
    "weight": "float",
    "process": "int16_t",
    **TRUTH,
    "n_higgs": "int8_t",
    "n_top": "int8_t",
    "n_W": "int8_t",
    "n_Z": "int8_t",
}
METADATA = Metadata("WH", 3, 5, "Pythia 8.317", 1.25, 0.01, 120, 100, 0, 120.0, 100, '{"a": [1, "b"]}')


def _columns(n_event: int, seed: int) -> NtupleColumns:
    rng = np.random.default_rng(seed)
    columns: NtupleColumns = {}
    for name, branches in EVENTS.collections.items():
        columns[f"n{name}"] = rng.integers(0, 4, n_event).astype(np.int32)
        for branch, dtype in branches.items():
            columns[f"{name}_{branch}"] = rng.normal(0, 20, columns[f"n{name}"].sum()).astype(dtype)
    return columns | {branch: rng.normal(0, 20, n_event).astype(dtype) for branch, dtype in EVENTS.scalars.items()}


def _jagged(columns: NtupleColumns, branch: str) -> ak.Array:
    return ak.unflatten(columns[branch], columns[f"n{branch.split('_')[0]}"])


def test_schema_is_the_standard_one(tmp_path: Path) -> None:
    path = tmp_path / "x.root"
    write_ntuple(path, [_columns(100, 1)], lambda: METADATA)
    with uproot.open(path) as file:
        assert set(file.keys(cycle=False)) == {"Events", "metadata"}
        assert {name: branch.typename for name, branch in file["Events"].items()} == STANDARD
        assert file.file.compression.name == "ZSTD"


def test_values_come_back(tmp_path: Path) -> None:
    parts = [_columns(70, 1), _columns(1, 2), _columns(30, 3)]
    path = tmp_path / "x.root"
    write_ntuple(path, iter(parts), lambda: METADATA)
    whole = concatenate_columns(parts)
    with uproot.open(path) as file:
        events = file["Events"].arrays()
    for branch in STANDARD:
        expected = _jagged(whole, branch) if STANDARD[branch].endswith("[]") else whole[branch]
        assert ak.array_equal(events[branch], expected, dtype_exact=False), branch
    assert read_metadata(path) == METADATA


def test_metadata_is_computed_after_the_last_part(tmp_path: Path) -> None:
    asked: list[str] = []

    def parts() -> Iterator[NtupleColumns]:
        yield _columns(3, 1)
        asked.append("part")

    def metadata() -> Metadata:
        asked.append("metadata")
        return METADATA

    write_ntuple(tmp_path / "x.root", parts(), metadata)
    assert asked == ["part", "metadata"]


def test_select_and_reorder_agree_with_awkward() -> None:
    columns = _columns(50, 4)
    rng = np.random.default_rng(5)
    keep, order = rng.random(50) < 0.4, rng.permutation(50)
    for result, index in ((select_rows(columns, keep), keep), (reorder(columns, order), order)):
        assert np.array_equal(result["met_met"], columns["met_met"][index])
        assert np.array_equal(result["njet"], columns["njet"][index])
        for branch in ("jet_pt", "ele_charge", "mu_phi", "ph_e"):
            assert ak.array_equal(_jagged(result, branch), _jagged(columns, branch)[index])


def test_no_event_can_be_left() -> None:
    columns = select_rows(_columns(5, 6), np.zeros(5, dtype=bool))
    assert all(len(values) == 0 for values in columns.values())


def test_other_files_have_no_metadata_of_ours(tmp_path: Path) -> None:
    with uproot.recreate(tmp_path / "other.root") as file:
        file.mktree("Events", {"x": "float32"})
        file["Events"].extend({"x": np.ones(3, dtype=np.float32)})
    assert read_metadata(tmp_path / "other.root") is None
    (tmp_path / "text.root").write_text("not ROOT at all")
    with pytest.raises(InputError, match="expected a ROOT file"):
        read_metadata(tmp_path / "text.root")


@pytest.mark.parametrize("process", ["WH", "ZH", "ttH", "ttbar", "FCNC"])
def test_shipped_fixtures_are_standard(data_dir: Path, process: str) -> None:
    path = data_dir / f"{process}.root"
    metadata = read_metadata(path)
    assert metadata is not None
    assert (metadata.process, metadata.n_kept) == (process, 300)
    with uproot.open(path) as file:
        assert {name: branch.typename for name, branch in file["Events"].items()} == STANDARD
        assert file["Events"].num_entries == 300
