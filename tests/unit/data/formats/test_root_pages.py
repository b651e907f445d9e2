"""Checksums of RNTuples."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import uproot

from root_gnn.data.sources.root import Config
from root_gnn.errors import InputError


def read(path: Path, branch: str, start: int, stop: int) -> Any:
    with Config(tree="Events").open(path) as source:
        return source.read((branch,), start, stop)[branch]


def flip(path: Path, branch: str) -> None:
    """Changes one byte in the middle of the first page of the values that the importer keeps in its collection."""
    with uproot.open(path) as file:
        ntuple = file["Events"]
        named = [place for place, record in enumerate(ntuple.field_records) if record.field_name == branch]
        field = next(place for place in named if ntuple.field_records[place].parent_field_id != place)
        column = next(place for place, record in enumerate(ntuple.column_records) if record.field_id == field)
        locator = ntuple.page_link_list[0][column].pages[0].locator
    content = bytearray(path.read_bytes())
    content[locator.offset + locator.num_bytes // 2] ^= 1
    path.write_bytes(content)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A copy of a file that ROOT wrote, with checksums; uproot writes none."""
    folder = os.environ.get("ROOT_GNN_REAL_DATA")
    source = Path(folder or "") / "rntuple/Run2012BC_DoubleMuParked_Muons_1000evts_rntuple_v1-0-0-0.root"
    if not folder or not source.is_file():
        pytest.skip("no RNTuple written by ROOT is there; set ROOT_GNN_REAL_DATA")
    return Path(shutil.copy(source, tmp_path / "copy.root"))


def test_a_changed_byte_is_noticed_where_it_is_read(path: Path) -> None:
    intact = read(path, "Muon_pt", 10, 12)
    flip(path, "Muon_eta")
    with pytest.raises(
        InputError,
        match=r"branch Muon_eta cannot be read for entries 10 to 11.*the page at byte .* contradicts its checksum",
    ):
        read(path, "Muon_eta", 10, 12)
    assert read(path, "Muon_pt", 10, 12).tolist() == intact.tolist()


def test_pages_without_checksum_and_those_of_other_clusters_pass(tmp_path: Path) -> None:
    path = tmp_path / "clusters.root"
    with uproot.recreate(path) as file:
        file.mkrntuple("Events", {"x": np.arange(100.0)})
        file["Events"].extend({"x": np.arange(100.0, 200.0)})
    with Config(tree="Events").open(path) as source:
        assert list(source.chunks(("x",))) == [(0, 200)]
    assert read(path, "x", 99, 101).tolist() == [99.0, 100.0]


@pytest.mark.parametrize("place", [450, 700, 26_700])
def test_a_damaged_header_is_refused(path: Path, place: int) -> None:
    content = bytearray(path.read_bytes())
    content[place : place + 8] = b"\xff" * 8
    path.write_bytes(content)
    with pytest.raises(InputError, match="damaged"):
        read(path, "Muon_pt", 0, 1)
