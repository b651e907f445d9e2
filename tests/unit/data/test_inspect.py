"""Any file is described or refused in one paragraph; drafts can be used as they are."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pytest

from root_gnn.data.graphs import build_graphs
from root_gnn.data.inspect import inspect
from root_gnn.data.layout import collections, depth, split_name
from root_gnn.data.read import read
from root_gnn.data.spec import Spec, load_spec
from root_gnn.errors import InputError

REAL = os.environ.get("ROOT_GNN_REAL_DATA")
FILES = sorted(str(path.relative_to(REAL)) for path in Path(REAL).rglob("*.*") if path.is_file()) if REAL else ["needs ROOT_GNN_REAL_DATA"]


def drafted(path: Path, folder: Path) -> Spec:
    draft = folder / "draft.yaml"
    draft.write_text(inspect(path).draft_spec())
    return load_spec(draft)


@pytest.mark.parametrize("name", FILES)
def test_every_real_file_is_described_or_refused(real_data: Path, name: str, tmp_path: Path) -> None:
    path = real_data / name
    if path.suffix != ".root":
        with pytest.raises(InputError) as caught:
            inspect(path)
        assert "\n" not in str(caught.value)
        return
    description = inspect(path)
    assert f"{description.trees[description.tree]:,} entries (described below)" in str(description)
    if not any(found.jagged for found in description.nodes.values()):
        with pytest.raises(InputError, match="no spec can be drafted") as caught:
            description.draft_spec()
        assert "\n" not in str(caught.value)
        return
    spec = drafted(path, tmp_path)
    records = read(path, spec)
    assert build_graphs(records, spec).check().n_graph == description.trees[description.tree]
    assert 5 < ak.mean(records[next(iter(spec.nodes))].pt) < 500  # GeV, whatever the file has


def test_the_draft_of_a_standard_ntuple_reads_like_the_shipped_spec(data_dir: Path, tmp_path: Path) -> None:
    path = data_dir / "ttH.root"
    mine, shipped = drafted(path, tmp_path), load_spec("events")
    assert read(path, mine).tolist() == read(path, shipped).tolist()
    assert mine.id_names == shipped.id_names
    text = str(inspect(path))
    assert "counted by njet" in text
    assert "GeV (the median of jet_pt is" in text
    assert "id: process, eventNumber" in text
    assert "tree metadata: 1 entries" in text
    assert "metadata: 12 branches" in str(inspect(path, "metadata"))


@pytest.mark.parametrize(("name", "shipped"), [("nanoaod/nano_dy.root", "cms_nanoaod"), ("flat/uproot-HZZ.root", "hzz")])
def test_drafts_of_real_files_read_the_same_momenta(real_data: Path, tmp_path: Path, name: str, shipped: str) -> None:
    path, spec = real_data / name, load_spec(shipped)
    mine, other = read(path, drafted(path, tmp_path)), read(path, spec)
    for kind in spec.nodes:
        for feature in ("pt", "eta", "phi", "charge"):
            assert mine[kind][feature].tolist() == other[kind][feature].tolist()
    assert mine.weight.tolist() == other.weight.tolist()


def test_mev_is_guessed_from_the_magnitude(
    write_tree: Callable[..., Path], small_columns: dict[str, Any], tmp_path: Path
) -> None:
    small_columns["jet_pt"] = small_columns["jet_pt"] * 1000.0
    path = write_tree(small_columns)
    assert inspect(path).units["jet"].name == "MeV"
    assert "median of jet_pt is 5e+04" in str(inspect(path))
    assert read(path, drafted(path, tmp_path)).jet.pt.tolist() == [[50, 30], [], [70]]


def test_unknown_trees_and_files_without_collections(write_tree: Callable[..., Path], tmp_path: Path) -> None:
    path = write_tree({"x": np.arange(3.0)}, tree="t")
    with pytest.raises(InputError, match="no tree u in this file; it holds: t"):
        inspect(path, "u")
    assert "write a spec by hand" in str(inspect(path))
    with pytest.raises(InputError, match="no such file"):
        inspect(tmp_path / "none.root")


def test_names_and_types_of_many_layouts() -> None:
    assert split_name("Jet_pt") == ("Jet", "pt")
    assert split_name("Jet/Jet.PT") == ("Jet", "PT")
    assert split_name("AnalysisJetsAuxDyn.pt") == ("AnalysisJetsAuxDyn", "pt")
    assert split_name("Jet/Jet.momentum.x") == ("Jet", "momentum.x")
    assert split_name("event") == ("", "event")
    assert [depth(kind) for kind in ("float", "float[]", "std::vector<std::vector<int32_t>>", "std::string", "")] == [0, 1, 2, -1, -1]
    types = {"nJet_pt": "int32_t", "Jet_pt": "float[]", "Jet_eta": "float[]", "Jet_phi": "float[]", "Jet_btagDeepFlavB": "float[]",
             "Jet_btagCSVV2": "float[]", "nJet": "int32_t", "MET_pt": "float", "MET_phi": "float"}
    jet, met = collections(types)
    assert jet.features == {"pt": "Jet_pt", "eta": "Jet_eta", "phi": "Jet_phi", "btag": "Jet_btagCSVV2"}
    assert (jet.counter, jet.kind, jet.jagged, jet.has_momentum) == ("nJet", "jet", True, True)
    assert (met.kind, met.jagged, met.has_momentum) == ("met", False, True)
