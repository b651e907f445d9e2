"""Every real file of the collection is read to graphs: counts as its README says, momenta as `vector` and a plain
reading give.
"""

from __future__ import annotations

import gzip
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import awkward as ak
import h5py
import numpy as np
import pytest
import uproot
import vector

import root_gnn as rg
from root_gnn.data.reading.read import read
from root_gnn.data.spec.spec import Spec, load_spec
from root_gnn.errors import InputError

Plain = dict[str, Any]
"""By collection: four-momenta in GeV, a list per graph (jagged `vector` arrays)."""


@dataclass(frozen=True)
class Case:
    """A file, the spec for it, and what is known of it: graphs, nodes of each collection (from its README or a plain
    reading).
    """

    file: str
    spec: str
    n_graph: int
    plain: Callable[[Path], Plain]
    n_node: dict[str, int] = field(default_factory=dict)


def momenta(columns: dict[str, Any], scale: float = 1.0) -> Any:
    """Jagged four-momenta of `pt eta phi mass` or `px py pz E` columns; momenta times `scale`."""
    scaled = {name: column * (1.0 if name in ("eta", "phi") else scale) for name, column in columns.items()}
    return vector.zip({name: ak.values_astype(column, np.float64) for name, column in scaled.items()})


def flat(
    tree: str, prefixes: dict[str, str], *, mass: str = "mass", scale: float = 1.0, names: str = "{prefix}_{name}"
) -> Callable[[Path], Plain]:
    """Lists of `pt eta phi mass` (massless where there is none) under a prefix, by uproot."""

    def read_plainly(path: Path) -> Plain:
        found = {}
        with uproot.open(path) as file:
            for collection, prefix in prefixes.items():
                columns = {}
                for name in ("pt", "eta", "phi", mass):
                    branch = names.format(prefix=prefix, name=name)
                    columns[{mass: "mass"}.get(name, name)] = (
                        file[tree][branch].array() if branch in file[tree] else None
                    )
                if columns["mass"] is None:
                    columns["mass"] = ak.zeros_like(columns["pt"])
                found[collection] = momenta(columns, scale)
        return found

    return read_plainly


def cartesian(tree: str, prefixes: dict[str, str], names: tuple[str, ...]) -> Callable[[Path], Plain]:
    """Lists of Cartesian momenta, `names` being the four branches with `{}` for the prefix."""

    def read_plainly(path: Path) -> Plain:
        with uproot.open(path) as file:
            return {
                collection: momenta(
                    {
                        part: file[tree][name.format(prefix)].array()
                        for part, name in zip(("px", "py", "pz", "E"), names, strict=True)
                    }
                )
                for collection, prefix in prefixes.items()
            }

    return read_plainly


def numbered(
    collection: str, names: dict[str, str], slots: list[str], trees: tuple[str, ...] = ("",)
) -> Callable[[Path], Plain]:
    """Numbered scalars of ROOT trees (or a CSV table), side by side."""

    def read_plainly(path: Path) -> Plain:
        tables = []
        for tree in trees:
            if path.suffix == ".csv":
                rows = np.genfromtxt(path, delimiter=",", names=True, dtype=np.float64)
                table: Any = {name: rows[name] for name in rows.dtype.names}
            else:
                with uproot.open(path) as file:
                    table = {
                        name.format(slot): file[tree][name.format(slot)].array(library="np")
                        for name in names.values()
                        for slot in slots
                    }
            tables.append(table)
        columns = {
            part: np.concatenate([np.stack([table[name.format(slot)] for slot in slots], axis=1) for table in tables])
            for part, name in names.items()
        }
        if not {"mass", "E"} & set(columns):
            columns["mass"] = np.zeros_like(columns["pt"])
        return {collection: momenta({part: ak.from_regular(ak.Array(column)) for part, column in columns.items()})}

    return read_plainly


def spanet(path: Path) -> Plain:
    with h5py.File(path) as file:
        group = file["INPUTS/Source"]
        mask = group["MASK"][:]
        return {
            "jet": momenta(
                {
                    name: ak.Array([row[real] for row, real in zip(group[name][:], mask, strict=True)])
                    for name in ("pt", "eta", "phi", "mass")
                }
            )
        }


def hepfile(path: Path) -> Plain:
    with h5py.File(path) as file:
        return {
            one: momenta(
                {
                    part: ak.unflatten(file[f"{one}s/{name}"][:], file[f"{one}s/n{one}s"][:])
                    for part, name in {"px": "px", "py": "py", "pz": "pz", "E": "e"}.items()
                }
            )
            for one in ("jet", "electron", "muon", "photon")
        }


def top_tagging(path: Path) -> Plain:
    with h5py.File(path) as file:
        rows = file["table/table"]["values_block_0"][:]
    blocks = rows[:, :800].reshape(len(rows), 200, 4).astype(np.float64)
    real = blocks[..., 0] != 0
    return {
        "constituent": momenta(
            {
                part: ak.Array([row[keep, place] for row, keep in zip(blocks, real, strict=True)])
                for place, part in enumerate(("E", "px", "py", "pz"))
            }
        )
    }


def les_houches(path: Path) -> Plain:
    """Final-state momenta by taking the lines of the text apart."""
    events: list[list[tuple[int, list[float]]]] = []
    inside = False
    with gzip.open(path, "rt") as file:
        for line in file:
            if line.startswith("<event"):
                inside, n_line = True, 0
                events.append([])
            elif line.startswith(("</event", "<mgrwt", "<rwgt", "#")):
                inside = False
            elif inside:
                n_line += 1
                words = line.split()
                if n_line > 1 and len(words) == 13 and words[1] == "1":
                    events[-1].append((abs(int(words[0])), [float(word) for word in words[6:10]]))
    kinds = {"parton": {1, 2, 3, 4, 5, 21}, "neutrino": {12, 14, 16}, "heavy": {6, 23, 24, 25}}
    return {
        kind: momenta(
            {
                part: ak.Array([[numbers[place] for code, numbers in event if code in codes] for event in events])
                for place, part in enumerate(("px", "py", "pz", "E"))
            }
        )
        for kind, codes in kinds.items()
    }


def fat_jets(path: Path) -> Plain:
    """Constituents of each fat jet by a loop over the index table."""
    with uproot.open(path) as file:
        events = file["Events"].arrays(
            [f"PFCand_{name}" for name in ("pt", "eta", "phi", "mass")]
            + ["FatJet_pt", "FatJetPFCand_jetIdx", "FatJetPFCand_pfCandIdx"]
        )
    rows: dict[str, list[list[float]]] = {name: [] for name in ("pt", "eta", "phi", "mass")}
    for event in events.to_list():
        for jet in range(len(event["FatJet_pt"])):
            items = [
                item
                for row, item in zip(event["FatJetPFCand_jetIdx"], event["FatJetPFCand_pfCandIdx"], strict=True)
                if row == jet
            ]
            for name, column in rows.items():
                column.append([event[f"PFCand_{name}"][item] for item in items])
    return {"constituent": momenta({name: ak.Array(column) for name, column in rows.items()})}


def scouting(path: Path) -> Plain:
    plain = flat("Events", {"jet": "ScoutingJet"})(path)
    return {
        **plain,
        **flat(
            "Events", {"electron": "ScoutingElectron", "muon": "ScoutingMuon", "photon": "ScoutingPhoton"}, mass="m"
        )(path),
    }


def delphes(path: Path) -> Plain:
    with uproot.open(path) as file:
        names = {"pt": "PT", "eta": "Eta", "phi": "Phi", "mass": "Mass"}
        return {"jet": momenta({part: file["Delphes"][f"Jet/Jet.{name}"].array() for part, name in names.items()})}


def flat_fcc(path: Path) -> Plain:
    with uproot.open(path) as file:
        columns = {
            name: ak.values_astype(file["events"][f"rec_part_{name}"].array(), np.float64)
            for name in ("px", "py", "pz", "mass")
        }
    energy = np.sqrt(columns["px"] ** 2 + columns["py"] ** 2 + columns["pz"] ** 2 + columns["mass"] ** 2)
    return {"particle": momenta({**{name: columns[name] for name in ("px", "py", "pz")}, "E": energy})}


def parquet(path: Path) -> Plain:
    table = ak.from_parquet(
        path, columns=[f"{name}_{part}" for name in ("Jet", "Muon") for part in ("pt", "eta", "phi", "mass")]
    )
    return {
        kind: momenta({part: table[f"{name}_{part}"] for part in ("pt", "eta", "phi", "mass")})
        for kind, name in {"jet": "Jet", "muon": "Muon"}.items()
    }


def four_leptons(path: Path) -> Plain:
    """Each lepton by its PDG number."""
    rows = np.genfromtxt(path, delimiter=",", names=True, dtype=np.float64)
    return {
        kind: momenta(
            {
                part: ak.Array(
                    [[row[f"{part}{slot}"] for slot in range(1, 5) if abs(row[f"PID{slot}"]) == code] for row in rows]
                )
                for part in ("px", "py", "pz", "E")
            }
        )
        for kind, code in {"electron": 11, "muon": 13}.items()
    }


NANO = flat("Events", {"jet": "Jet", "electron": "Electron", "muon": "Muon"})
ANALYSIS = {"jet": "AnalysisJetsAuxDyn", "electron": "AnalysisElectronsAuxDyn"}
EDM = ("{0}/{0}.momentum.x", "{0}/{0}.momentum.y", "{0}/{0}.momentum.z", "{0}/{0}.energy")
CASES = [
    Case("nanoaod/nanoAOD_2015_CMS_Open_Data_ttbar.root", "cms_nanoaod", 200, NANO, {"met": 200}),
    Case("nanoaod/nano_tt_v12.root", "cms_nanoaod_v12", 200, NANO, {"met": 200, "photon": 0}),
    Case("nanoaod/nano_tt_v15.root", "cms_nanoaod_v15", 200, NANO, {"met": 200}),
    Case("nanoaod/nano_tt_v15.root", "cms_nanoaod_v15_fatjets", 64, fat_jets),
    Case("nanoaod/nano_dy.root", "cms_nanoaod", 40, NANO),
    Case("nanoaod/nano_dimuon.root", "cms_nanoaod", 40, NANO),
    Case("nanoaod/scouting_nano.root", "cms_scouting", 40, scouting),
    Case(
        "flat/uproot-HZZ.root",
        "hzz",
        2421,
        cartesian(
            "events",
            {"jet": "Jet", "muon": "Muon", "electron": "Electron", "photon": "Photon"},
            ("{}_Px", "{}_Py", "{}_Pz", "{}_E"),
        ),
        {"jet": 2773, "muon": 3825, "electron": 171, "photon": 220},
    ),
    Case(
        "flat/uproot-Zmumu.root",
        "zmumu",
        2304,
        numbered("muon", {"px": "px{}", "py": "py{}", "pz": "pz{}", "E": "E{}"}, ["1", "2"], ("events",)),
        {"muon": 4608},
    ),
    Case(
        "flat/uproot-issue243-new.root",
        "hh4b_scalars",
        502 + 316 + 336,
        numbered(
            "jet",
            {"pt": "pT_{}", "eta": "eta_{}", "phi": "phi_{}", "E": "E_{}"},
            ["h1_j1", "h1_j2", "h2_j1", "h2_j2"],
            ("sig", "control", "sideband"),
        ),
        {"jet": 4 * 1154},
    ),
    Case(
        "flat/uproot-issue-816.root",
        "atlas_minitree",
        100,
        flat("AnalysisMiniTree", {"jet": "offline_akt4_pf_NOSYS"}, mass="m", scale=1e-3),
    ),
    Case("flat/uproot-issue-172.root", "fcc_flat", 10, flat_fcc),
    Case("delphes/uproot-issue513.root", "delphes", 10, delphes),
    Case(
        "physlite/uproot-issue-951.root",
        "atlas_physlite",
        50,
        flat("CollectionTree", ANALYSIS, mass="m", scale=1e-3, names="{prefix}.{name}"),
    ),
    Case("rntuple/cmsopendata2015_ttbar_19980_NANOAOD_RNTupleImporter_rntuple_v1-0-0-1.root", "cms_nanoaod", 10, NANO),
    Case(
        "rntuple/Run2012BC_DoubleMuParked_Muons_1000evts_rntuple_v1-0-0-0.root",
        "dimuon_rntuple",
        1000,
        flat("Events", {"muon": "Muon"}),
    ),
    Case("rntuple/nano_dy_rntuple.root", "cms_nanoaod", 40, NANO),
    Case("edm4hep/test_FCC_Winter2023.root", "edm4hep", 100, cartesian("events", {"jet": "Jet"}, EDM), {"met": 100}),
    Case(
        "edm4hep/test_FCC_Winter2023.root",
        "edm4hep_particles",
        100,
        cartesian("events", {"particle": "ReconstructedParticles"}, EDM),
    ),
    Case("hdf5/spanet_full_hadronic_ttbar.h5", "spanet", 10_000, spanet),
    Case("hdf5/mc_dy_1000collisions.hdf5", "hepfile", 1000, hepfile, {"met": 1000}),
    Case("hdf5/small_cms_test_file.hdf5", "hepfile", 10, hepfile, {"met": 10, "electron": 0, "photon": 0}),
    Case("csv/2e2mu_2012.csv", "cms_four_leptons", 104, four_leptons, {"electron": 208, "muon": 208}),
    Case("csv/4mu_2011.csv", "cms_four_leptons", 18, four_leptons, {"electron": 0, "muon": 72}),
    Case(
        "csv/Zmumu_Run2011A.csv",
        "cms_zmumu",
        10_583,
        numbered("muon", {"pt": "pt{}", "eta": "eta{}", "phi": "phi{}"}, ["1", "2"]),
    ),
    Case("parquet/nano_dy.parquet", "cms_nanoaod_parquet", 40, parquet),
    Case("lhe/pp2tt_run01.lhe.gz", "lhe_partons", 100, les_houches, {"heavy": 200}),
    Case("lhe/pp2zz_run01.lhe.gz", "lhe_partons", 100, les_houches, {"parton": 200, "neutrino": 200}),
    Case(
        "standin/standin_jetclass_layout_ak8.root",
        "jetclass",
        24,
        cartesian("tree", {"constituent": "part"}, ("{}_px", "{}_py", "{}_pz", "{}_energy")),
    ),
    Case("standin/standin_toptag_layout_a.h5", "top_tagging", 29, top_tagging),
    Case("standin/ftag_mock_a.h5", "atlas_flavour_tagging", 300, lambda path: {}),
]
REFUSED = {"flat/uproot-small-dy-withoffsets.root"}


def opened(spec: str) -> Spec:
    if spec == "lhe_partons":
        pytest.importorskip("pylhe")
    return load_spec(spec)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.spec}-{Path(case.file).stem}"[:60])
def test_a_real_file_becomes_graphs(case: Case, real_data: Path) -> None:
    path, spec = real_data / case.file, opened(case.spec)
    records = read(path, spec)
    assert len(records) == case.n_graph
    batch = rg.build_graphs(records, spec).check()
    assert batch.n_graph == case.n_graph
    for name, expected in case.plain(path).items():
        here = records[name]
        assert ak.num(here).tolist() == ak.num(expected).tolist(), name
        found, wanted = ak.flatten(here), ak.flatten(expected)
        assert ak.to_numpy(found.pt) == pytest.approx(ak.to_numpy(wanted.pt), rel=1e-5, abs=1e-6), name
        assert ak.to_numpy(found.energy) == pytest.approx(ak.to_numpy(wanted.energy), rel=1e-5, abs=1e-6), name
        turned = vector.array({"pt": np.ones(len(found)), "phi": ak.to_numpy(found.phi)}).deltaphi(
            vector.array({"pt": np.ones(len(found)), "phi": ak.to_numpy(wanted.phi)})
        )
        assert np.abs(turned).max(initial=0) < 1e-5 and np.abs(ak.to_numpy(found.phi)).max(initial=0) <= np.float32(
            np.pi
        ), name
        moving = ak.to_numpy(wanted.pt) > 1e-4 * np.abs(ak.to_numpy(wanted.pz))
        assert ak.to_numpy(found.eta)[moving] == pytest.approx(ak.to_numpy(wanted.eta)[moving], rel=1e-4, abs=1e-5), (
            name
        )
    for name, number in case.n_node.items():
        assert int((batch.nodes[:, -1] == spec.nodes[name].type).sum()) == number, name


def test_no_file_of_the_collection_is_left_out(real_data: Path) -> None:
    files = {
        str(path.relative_to(real_data))
        for path in real_data.rglob("*")
        if path.is_file() and path.suffix not in (".md", ".json")
    }
    assert files == {case.file for case in CASES} | REFUSED


def test_the_file_without_angles_is_refused_saying_so(real_data: Path) -> None:
    path = real_data / "flat/uproot-small-dy-withoffsets.root"
    nodes = {"jet": {"type": 0, "features": {"pt": "Jet_pt", "eta": "Jet_eta", "phi": "Jet_phi"}}}
    with pytest.raises(InputError, match="there is no branch Jet_eta"):
        read(path, load_spec({"name": "dy", "source": {"name": "root", "tree": "tree"}, "nodes": nodes}))


def test_the_same_events_in_three_formats_are_the_same_records(real_data: Path) -> None:
    files = {
        "nanoaod/nano_dy.root": "cms_nanoaod",
        "rntuple/nano_dy_rntuple.root": "cms_nanoaod",
        "parquet/nano_dy.parquet": "cms_nanoaod_parquet",
    }
    first, *others = [read(real_data / file, load_spec(spec)) for file, spec in files.items()]
    for other in others:
        assert other.fields == first.fields
        assert ak.array_equal(first, other, dtype_exact=True)


@pytest.mark.parametrize(
    ("file", "spec", "fact"),
    [
        (
            "nanoaod/nanoAOD_2015_CMS_Open_Data_ttbar.root",
            "cms_nanoaod",
            lambda r: (int(ak.sum(r.weight < 0)), int(ak.sum(ak.num(r.jet) == 0))) == (26, 14),
        ),
        ("nanoaod/nano_dy.root", "cms_nanoaod", lambda r: int(ak.sum(r.weight < 0)) == 9),
        (
            "nanoaod/nano_dimuon.root",
            "cms_nanoaod",
            lambda r: (
                (set(r.weight.tolist()), int(ak.sum(ak.num(r.jet) == 0)), int(ak.sum(ak.num(r.muon) == 0)))
                == ({1.0}, 1, 4)
            ),
        ),
        (
            "flat/uproot-HZZ.root",
            "hzz",
            lambda r: int(ak.sum(ak.num(r.jet) == 0)) == 716 and float(ak.min(r.weight)) == 0.0,
        ),
        ("flat/uproot-Zmumu.root", "zmumu", lambda r: len(np.unique(r.ids.to_numpy(), axis=0)) == 500),
        (
            "flat/uproot-issue243-new.root",
            "hh4b_scalars",
            lambda r: np.bincount(r.label.to_numpy()).tolist() == [502, 316, 336],
        ),
        (
            "hdf5/spanet_full_hadronic_ttbar.h5",
            "spanet",
            lambda r: (int(ak.min(ak.num(r.jet))), int(ak.max(ak.num(r.jet)))) == (6, 10),
        ),
        ("hdf5/mc_dy_1000collisions.hdf5", "hepfile", lambda r: int(ak.sum(ak.num(r.jet) == 0)) == 32),
        ("standin/standin_jetclass_layout_ak8.root", "jetclass", lambda r: set(r.label.tolist()) == {0}),
        ("standin/standin_toptag_layout_a.h5", "top_tagging", lambda r: int(ak.sum(r.label)) == 22),
    ],
)
def test_facts_of_the_readme(file: str, spec: str, fact: Callable[[Any], bool], real_data: Path) -> None:
    assert fact(read(real_data / file, load_spec(spec)))
