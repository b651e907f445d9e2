"""Records: names, units, derived momenta, ids, weights; real files against their README; what is refused."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, Protocol

import awkward as ak
import numpy as np
import pytest
import uproot
import vector

from root_gnn.data.reading.graphs import build_graphs
from root_gnn.data.reading.read import iterate, read
from root_gnn.data.sources import root
from root_gnn.data.spec.spec import load_spec
from root_gnn.errors import InputError

Columns = dict[str, Any]


class WriteTree(Protocol):
    def __call__(self, columns: Columns, *, name: str = ..., tree: str = ..., rntuple: bool = ...) -> Path: ...


def test_records_of_a_small_file(write_tree: WriteTree, small_columns: Columns, small_spec: Columns) -> None:
    records = read(write_tree(small_columns), load_spec(small_spec))
    assert records.fields == ["jet", "muon", "met", "ids", "entry", "weight", "truth"]
    assert ak.num(records.jet).tolist() == [2, 0, 1]
    expected = math.hypot(50 * math.cosh(0.5), 5)
    assert records.jet.energy[0, 0] == pytest.approx(expected, rel=1e-6)
    assert records.muon.energy[2, 0] == pytest.approx(25 * math.cosh(0.3), rel=1e-6)  # massless
    assert records.met.energy.tolist() == [10, 20, 30]
    assert records.met.eta.tolist() == [0, 0, 0]
    assert records.jet.btag.tolist() == [[0, 0], [], [0]]
    assert records.ids.tolist() == [[1, 7], [1, 8], [1, 9]]
    assert records.weight.tolist() == [2, -4, 1]
    assert records.truth.higgs_pt.tolist() == [100, 0, 50]
    assert (
        str(records.jet.type)
        == "3 * var * {pt: float32, eta: float32, phi: float32, energy: float32, btag: float32, charge: float32}"
    )


def test_start_and_stop(write_tree: WriteTree, small_columns: Columns, small_spec: Columns) -> None:
    path, spec = write_tree(small_columns), load_spec(small_spec)
    assert read(path, spec, start=1).ids.tolist() == [[1, 8], [1, 9]]
    assert read(path, spec, start=1, stop=2).weight.tolist() == [-4]
    assert read(path, spec, stop=99).weight.tolist() == [2, -4, 1]
    assert len(read(path, spec, start=5)) == 0
    with pytest.raises(InputError, match="0 <= start <= stop"):
        read(path, spec, start=2, stop=1)


def test_units(write_tree: WriteTree, small_columns: Columns, small_spec: Columns) -> None:
    gev = read(write_tree(small_columns), load_spec(small_spec))
    for name in ("jet_pt", "jet_m", "met"):
        small_columns[name] = small_columns[name] * 1000.0
    small_columns["jet_phi"] = small_columns["jet_phi"] * (180 / math.pi)
    small_spec["nodes"]["jet"]["unit"] = "MeV"
    small_spec["nodes"]["jet"]["features"]["phi"] = {"branch": "jet_phi", "unit": "deg"}
    small_spec["nodes"]["met"]["features"]["pt"] = {"branch": "met", "unit": "MeV"}
    mev = read(write_tree(small_columns, name="mev.root"), load_spec(small_spec))
    for field in ("pt", "eta", "phi", "energy"):
        assert ak.to_numpy(ak.flatten(mev.jet[field])) == pytest.approx(
            ak.to_numpy(ak.flatten(gev.jet[field])), rel=1e-6
        )
    assert mev.met.pt.tolist() == gev.met.pt.tolist()


def test_phi_is_wrapped_and_thresholds_cut(write_tree: WriteTree, small_columns: Columns, small_spec: Columns) -> None:
    small_columns["jet_phi"] = ak.Array([[6.0, math.pi], [], [0.1]])
    small_spec["nodes"]["jet"]["features"]["btag"] = {"branch": "jet_m", "above": 4.5}
    records = read(write_tree(small_columns), load_spec(small_spec))
    assert records.jet.phi[0].tolist() == pytest.approx([6.0 - 2 * math.pi, math.pi], rel=1e-6)
    assert records.jet.btag.tolist() == [[1, 0], [], [1]]


def test_label_branch(write_tree: WriteTree, small_columns: Columns, small_spec: Columns) -> None:
    path = write_tree(small_columns)
    small_spec["label"] = {"branch": "kind", "classes": {"b": 22, "a": 11}}
    assert read(path, load_spec(small_spec)).label.tolist() == [1, 0, 1]
    small_spec["label"]["classes"] = {"a": 11}
    with pytest.raises(InputError, match=r"branch kind has a value that is no class \(22\) in entry 1, 1 of the 3"):
        read(path, load_spec(small_spec))


def test_optional_branches_may_be_missing(write_tree: WriteTree, small_columns: Columns, small_spec: Columns) -> None:
    small_spec |= {
        "weight": [{"branch": "nothing", "optional": True}],
        "truth": {"t": {"branch": "nothing", "optional": True}},
        "id": [{"branch": "nothing", "optional": True}, "event"],
        "resimulation": {"branch": "nothing", "optional": True},
    }
    small_spec["nodes"]["photon"] = {
        "type": 3,
        "optional": True,
        "features": {"pt": "ph_pt", "eta": "ph_eta", "phi": "ph_phi"},
    }
    spec, path = load_spec(small_spec), write_tree(small_columns)
    records = read(path, spec)
    assert "truth" not in records.fields
    assert records.weight.tolist() == [1, 1, 1]
    assert ak.num(records.photon).tolist() == [0, 0, 0]
    ids = ak.to_numpy(records.ids)
    assert ids[:, 1].tolist() == [0, 1, 2]  # file and entry, then the resimulation
    assert (ids[:, 0] == ids[0, 0]).all()
    assert ids[:, 2].tolist() == [0, 0, 0]
    assert read(path, spec, start=2).ids.tolist() == ids[2:].tolist()
    moved = path.rename(path.with_name("elsewhere.root"))
    assert read(moved, spec).ids.tolist() == ids.tolist()


def test_unsigned_ids_keep_their_bits(write_tree: WriteTree, small_columns: Columns, small_spec: Columns) -> None:
    large = np.array([2**64 - 1, 2**63, 5], dtype=np.uint64)
    small_columns["event"] = large
    ids = ak.to_numpy(read(write_tree(small_columns), load_spec(small_spec)).ids)
    assert ids[:, 1].view(np.uint64).tolist() == large.tolist()


def test_iterate_is_read_in_pieces(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = load_spec("events")
    whole = read(data_dir / "WH.root", spec)
    monkeypatch.setattr(root, "CHUNK_BYTES", 1)
    monkeypatch.setattr(root, "SMALLEST_CHUNK", 70)
    pieces = list(iterate(data_dir / "WH.root", spec))
    assert [len(piece) for piece in pieces] == [70, 70, 70, 70, 20]
    assert ak.concatenate(pieces).tolist() == whole.tolist()


def test_rntuple_and_ttree_give_the_same(write_tree: WriteTree, small_columns: Columns, small_spec: Columns) -> None:
    spec = load_spec(small_spec)
    tree, tuple_ = write_tree(small_columns), write_tree(small_columns, name="tuple.root", rntuple=True)
    with uproot.open(tuple_) as file:
        assert file.classnames()["Events;1"] == "ROOT::RNTuple"
    assert read(tuple_, spec).tolist() == read(tree, spec).tolist()
    assert read(tuple_, spec, start=1, stop=2).tolist() == read(tree, spec, start=1, stop=2).tolist()


@pytest.mark.parametrize("value", [math.nan, math.inf])
@pytest.mark.parametrize("branch", ["jet_eta", "met", "w", "higgs_pt"])
def test_not_a_number_is_refused(
    write_tree: WriteTree, small_columns: Columns, small_spec: Columns, branch: str, value: float
) -> None:
    if branch == "jet_eta":
        small_columns[branch] = ak.Array([[0.5, -1.0], [], [value]])
    else:
        small_columns[branch] = np.array([1.0, 2.0, value])
    with pytest.raises(InputError, match=rf"file.root: branch {branch} has NaN or infinity .* in entry 2, 1 of the 3"):
        read(write_tree(small_columns), load_spec(small_spec))


@pytest.mark.parametrize(
    ("branch", "value", "message"),
    [
        ("jet_pt", [[50.0, -30.0], [], [70.0]], r"a negative pt \(-30.0\) in entry 0, 1 of the 3"),
        ("jet_phi", [[3.0, -3.0], [], [140.0]], r"a phi outside \[-2 pi, 2 pi\] \(140.0\) in entry 2.*deg"),
        ("jet_eta", [[0.5, -1.0], [], [-999.9]], r"jet .*derived.* has infinity .* in entry 2"),
        (
            "jet_eta",
            [[0.5], [-1.0], [2.0]],
            r"jet_pt and jet_eta belong to one collection, but entry 0 has 2 and 1 values \(2 such",
        ),
        ("jet_eta", [0.5, -1.0, 2.0], "branch jet_eta has one number per entry; a list was expected"),
        ("met", [[1.0], [], [2.0]], "branch met has 0 values in entry 1, but a single collection has one"),
        ("event", [1.5, 2.0, 3.0], r"branch event has no whole number \(1.5\) in entry 0"),
    ],
)
def test_wrong_values_are_refused(
    write_tree: WriteTree, small_columns: Columns, small_spec: Columns, branch: str, value: Any, message: str
) -> None:
    small_columns[branch] = ak.Array(value) if isinstance(value[0], list) else np.array(value)
    with pytest.raises(InputError, match=message):
        read(write_tree(small_columns), load_spec(small_spec))


def test_errors_count_entries_from_the_start_of_the_file(
    write_tree: WriteTree, small_columns: Columns, small_spec: Columns
) -> None:
    small_columns["w"] = np.array([1.0, 1.0, math.nan])
    with pytest.raises(InputError, match="in entry 2"):
        read(write_tree(small_columns), load_spec(small_spec), start=2)


def test_a_missing_branch_is_named_with_near_ones(
    write_tree: WriteTree, small_columns: Columns, small_spec: Columns
) -> None:
    small_spec["nodes"]["jet"]["features"]["pt"] = ["jet_ptt", "other"]
    with pytest.raises(
        InputError,
        match=r"file.root: there is no branch jet_ptt \(nor any of its 1 .* nodes.jet.pt reads; did you mean jet_pt",
    ):
        read(write_tree(small_columns), load_spec(small_spec))


NANOAOD = {  # file under nanoaod/: events, negative weights, events without jets (None: the README does not say)
    "nanoAOD_2015_CMS_Open_Data_ttbar.root": (200, 26, 14),
    "nano_dy.root": (40, 9, None),
    "nano_tt_v12.root": (200, 1, 0),
    "nano_tt_v15.root": (200, None, None),
    "nano_dimuon.root": (40, 0, 1),
}


@pytest.mark.parametrize("name", NANOAOD)
def test_real_nanoaod(real_data: Path, name: str) -> None:
    spec = load_spec("cms_nanoaod")
    records = read(real_data / "nanoaod" / name, spec)
    batch = build_graphs(records, spec).check()
    n_event, n_negative, n_without_jets = NANOAOD[name]
    n_negative = int((records.weight < 0).to_numpy().sum()) if n_negative is None else n_negative
    assert (len(records), int((records.weight < 0).to_numpy().sum())) == (n_event, n_negative)
    if n_without_jets is not None:
        assert int((ak.num(records.jet) == 0).to_numpy().sum()) == n_without_jets
    with uproot.open(real_data / "nanoaod" / name) as file:
        raw = file["Events"].arrays(
            [f"Jet_{part}" for part in ("pt", "eta", "phi", "mass")] + ["nJet", "nElectron", "nMuon"]
        )
    n_photon = ak.num(records.photon)
    assert batch.n_node.tolist() == (raw.nJet + raw.nElectron + raw.nMuon + n_photon + 1).tolist()
    reference = vector.zip({part: raw[f"Jet_{part}"] for part in ("pt", "eta", "phi", "mass")})
    assert ak.to_numpy(ak.flatten(records.jet.energy)) == pytest.approx(
        ak.to_numpy(ak.flatten(reference.energy)), rel=1e-5
    )


def test_real_hzz(real_data: Path) -> None:
    spec = load_spec("hzz")
    path = real_data / "flat" / "uproot-HZZ.root"
    records = read(path, spec)
    assert len(records) == 2421
    assert int((ak.num(records.jet) == 0).to_numpy().sum()) == 716
    objects = sum(ak.num(records[name]) for name in ("jet", "electron", "muon", "photon"))
    assert int((objects == 0).to_numpy().sum()) == 5
    assert (records.weight == 0).to_numpy().any()
    with uproot.open(path) as file:
        raw = file["events"].arrays([f"Muon_{part}" for part in ("Px", "Py", "Pz", "E")])
    reference = vector.zip({"px": raw.Muon_Px, "py": raw.Muon_Py, "pz": raw.Muon_Pz, "E": raw.Muon_E})
    for field in ("pt", "eta", "phi", "energy"):
        wanted = ak.to_numpy(ak.flatten(getattr(reference, field)))
        assert ak.to_numpy(ak.flatten(records.muon[field])) == pytest.approx(wanted, rel=1e-5, abs=1e-5)
    assert build_graphs(records, spec).check().n_graph == 2421


def test_real_twins_are_equal(real_data: Path) -> None:
    spec = load_spec("cms_nanoaod")
    tree = read(real_data / "nanoaod" / "nano_dy.root", spec)
    tuple_ = read(real_data / "rntuple" / "nano_dy_rntuple.root", spec)
    assert tuple_.tolist() == tree.tolist()
