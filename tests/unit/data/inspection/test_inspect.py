"""Any file is described or refused in one paragraph; drafts can be used as they are."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import awkward as ak
import h5py
import numpy as np
import pytest

from root_gnn.data.cache.prepare import prepare_shards
from root_gnn.data.inspection.inspect import inspect
from root_gnn.data.reading.graphs import build_graphs
from root_gnn.data.reading.read import read
from root_gnn.data.spec.spec import Spec, load_spec
from root_gnn.errors import InputError

REAL = os.environ.get("ROOT_GNN_REAL_DATA")
FILES = (
    sorted(str(path.relative_to(REAL)) for path in Path(REAL).rglob("*.*") if path.is_file())
    if REAL
    else ["needs ROOT_GNN_REAL_DATA"]
)
NO_DATA = (".md", ".json")
FACTS = {
    "nanoaod/nano_tt_v15.root": ("2,656 branches", "counted by nJet", "FatJetPFCand_jetIdx and FatJetPFCand_pfCandIdx"),
    "nanoaod/nanoAOD_2015_CMS_Open_Data_ttbar.root": (
        "Jet_btagDeepFlavB (-3000)",
        "id            run, luminosityBlock, event",
    ),
    "flat/uproot-issue-816.root": (
        "MeV: ATLAS names",
        "NOSYS in branch names: 17",
        "weight        mcEventWeights",
        "nested",
    ),
    "flat/uproot-Zmumu.root": ("2 numbered %SLOT%: 1, 2", "texts         Type", "id            Run, Event"),
    "flat/uproot-issue243-new.root": ("h1_j1, h1_j2, h2_j1, h2_j2", "tree sig: 502 entries", "weight        mc_sf"),
    "hdf5/spanet_full_hadronic_ttbar.h5": ("arrays of 10, there where INPUTS/Source/MASK is not 0", "TARGETS/t1/b"),
    "standin/standin_jetclass_layout_ak8.root": ("label_QCD", "Of the jet", "jet_sdmass"),
    "standin/standin_toptag_layout_a.h5": ("200 numbered %SLOT%: 0, 1, 2, 3, 4, 5 and 194 more", "split         ttv"),
    "flat/uproot-small-dy-withoffsets.root": ("incomplete    Jet (no eta, phi), Muon (no eta, phi)",),
}


def loaded(text: str, folder: Path) -> Spec:
    draft = folder / "draft.yaml"
    draft.write_text(text)
    return load_spec(draft)


def drafted(path: Path, folder: Path) -> Spec:
    return loaded(inspect(path).draft_spec(), folder)


@pytest.mark.parametrize("name", FILES)
def test_every_real_file_is_described_and_drafted_or_refused(real_data: Path, name: str, tmp_path: Path) -> None:
    path = real_data / name
    if path.suffix in NO_DATA:
        with pytest.raises(InputError, match="this is text, but no table of numbers") as caught:
            inspect(path)
        assert "\n" not in str(caught.value)
        return
    description = inspect(path)
    text = str(description)
    assert all(len(line) <= 100 for line in text.splitlines()[1:])
    assert [fact for fact in FACTS.get(name, ()) if fact not in text] == []
    if "withoffsets" in name:
        with pytest.raises(
            InputError, match="Jet has pt but no eta and no phi, Muon has pt, charge but no eta and no phi"
        ) as caught:
            description.draft_spec()
        assert "\n" not in str(caught.value)
        return
    spec = loaded(description.draft_spec(), tmp_path)
    records = read(path, spec)
    assert build_graphs(records, spec).check().n_graph == description.n_entry
    if "mock" not in name:  # random numbers
        assert 1 < ak.mean(records[next(iter(spec.nodes))].pt) < 500  # GeV, whatever the file has


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("flat/uproot-Zmumu.root", "on_duplicate: keep  # 1,804 entries"),
        ("standin/standin_toptag_layout_a.h5", "split: {branch: ttv, train: 0, validation: 1, test: 2}"),
        ("standin/standin_jetclass_layout_ak8.root", "transforms: {d0: tanh, dz: tanh}"),
        ("lhe/pp2tt_run01.lhe.gz", "mask: {expression: '`status` == 1'}"),
        ("flat/uproot-issue-816.root", "item: 0, optional: true"),
    ],
)
def test_prepare_takes_the_drafts(
    real_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, key: str
) -> None:
    monkeypatch.setenv("ROOT_GNN_CACHE", str(tmp_path / "cache"))
    path = real_data / name
    description = inspect(path)
    text = description.draft_spec()
    assert key in text
    (shard,) = prepare_shards(loaded(text, tmp_path), [path], data_dir=path.parent).values()
    assert len(shard.weight) == description.n_entry


def test_the_draft_of_a_standard_ntuple_reads_like_the_shipped_spec(data_dir: Path, tmp_path: Path) -> None:
    path = data_dir / "ttH.root"
    mine, shipped = drafted(path, tmp_path), load_spec("events")
    assert read(path, mine).tolist() == read(path, shipped).tolist()
    assert mine.id_names == shipped.id_names
    text = str(inspect(path))
    for words in (
        "counted by njet",
        "GeV: the median of jet_pt is",
        "process, eventNumber",
        "tree metadata: 1 entry",
        "higgs_exists",
    ):
        assert words in text
    assert "events, events_shower (this file has all that they need)" in text  # the nominal events of both
    assert "12 branches" in str(inspect(path, "metadata"))


def test_other_formats_of_the_same_events_are_drafted_to_the_same_records(data_dir: Path, tmp_path: Path) -> None:
    spec = load_spec("events")
    events = read(data_dir / "WH.root", spec, stop=200)
    flat = {f"{kind}_{name}": events[kind][name] for kind in ("jet", "muon") for name in ("pt", "eta", "phi", "energy")}
    parquet = tmp_path / "events.parquet"
    ak.to_parquet(ak.zip(flat, depth_limit=1), parquet)
    most = int(ak.max(ak.num(events.jet.pt)))
    hdf5 = tmp_path / "events.h5"
    with h5py.File(hdf5, "w") as file:
        for kind in ("jet", "muon"):
            for name in ("pt", "eta", "phi", "energy"):
                file[f"{kind}s/{name}"] = ak.to_numpy(
                    ak.fill_none(ak.pad_none(events[kind][name], most, clip=True), 0.0)
                )
            file[f"{kind}s/MASK"] = ak.to_numpy(ak.fill_none(ak.pad_none(events[kind].pt > 0, most, clip=True), False))
    read_back = [read(path, drafted(path, tmp_path)) for path in (parquet, hdf5)]
    for kind in ("jet", "muon"):
        for name in ("pt", "eta", "phi", "energy"):
            assert read_back[0][kind][name].tolist() == events[kind][name].tolist() == read_back[1][kind][name].tolist()


@pytest.mark.parametrize(
    ("name", "shipped"), [("nanoaod/scouting_nano.root", "cms_scouting"), ("flat/uproot-HZZ.root", "hzz")]
)
def test_drafts_of_real_files_read_the_same_momenta(real_data: Path, tmp_path: Path, name: str, shipped: str) -> None:
    path, spec = real_data / name, load_spec(shipped)
    mine, other = read(path, drafted(path, tmp_path)), read(path, spec)
    for kind in spec.nodes:
        for feature in ("pt", "eta", "phi", "charge"):
            assert mine[kind][feature].tolist() == other[kind][feature].tolist()
    assert mine.weight.tolist() == other.weight.tolist()


def test_units_are_guessed_from_the_magnitude(
    write_tree: Callable[..., Path], small_columns: dict[str, Any], tmp_path: Path
) -> None:
    small_columns["jet_pt"] = small_columns["jet_pt"] * 1000.0
    small_columns["jet_phi"] = small_columns["jet_phi"] * (180.0 / np.pi)
    path = write_tree(small_columns)
    unit = inspect(path).units["jet"]
    assert (unit.name, unit.reason) == (
        "MeV",
        "the median of jet_pt is 50,000; phi in degrees, since it goes beyond 2 pi",
    )
    jets = read(path, drafted(path, tmp_path)).jet
    assert jets.pt.tolist() == [[50, 30], [], [70]]
    np.testing.assert_allclose(ak.flatten(jets.phi), [3.0, -3.0, 0.1], rtol=1e-6)


def test_variations_leptons_and_a_label(
    write_tree: Callable[..., Path], small_columns: dict[str, Any], tmp_path: Path
) -> None:
    columns = {
        f"jet_{name}_NOSYS" if name == "pt" else f"jet_{name}": small_columns[f"jet_{name}"]
        for name in ("pt", "eta", "phi")
    }
    columns["jet_pt_JET_1up"] = columns["jet_pt_NOSYS"] * 2
    columns |= {
        f"lep_{name}": columns[f"jet_{other}"] for name, other in (("pt", "pt_NOSYS"), ("eta", "eta"), ("phi", "phi"))
    }
    columns["lep_type"] = ak.Array([[11, 13], [], [11]])
    columns |= {"label_QCD": np.array([1.0, 0, 0]), "label_Hbb": np.array([0, 1.0, 1.0]), "weight_NOSYS": np.ones(3)}
    path = write_tree(columns)
    spec = drafted(path, tmp_path)
    assert spec.systematics == ("NOSYS", "JET_1up")
    nominal, up = read(path, spec), read(path, spec.variation("JET_1up"))
    assert up.jet.pt.tolist() == (nominal.jet.pt * 2).tolist() == [[100, 60], [], [140]]
    assert (nominal.electron.pt.tolist(), nominal.muon.pt.tolist()) == ([[50], [], [70]], [[30], [], []])
    assert (spec.label and spec.label.names, nominal.label.tolist()) == (("QCD", "Hbb"), [0, 1, 1])


def test_jets_with_sentinels_and_nan(
    write_tree: Callable[..., Path], small_columns: dict[str, Any], tmp_path: Path
) -> None:
    columns = {f"part_{name}": small_columns[f"jet_{name}"] for name in ("pt", "eta", "phi")}
    columns["part_d0val"] = ak.Array([[-999.0, 0.1], [], [0.2]])
    columns |= {
        "fj_pt": np.array([80.0, 20, 70]),
        "fj_mass": np.array([1.0, np.nan, 2]),
        "is_signal": np.array([0, 1, 1]),
    }
    path = write_tree(columns)
    assert "sentinels     part_d0val (-999)" in str(inspect(path))
    spec = drafted(path, tmp_path)
    records = read(path, spec)
    np.testing.assert_allclose(ak.flatten(records.constituent.d0), [0.0, 0.1, 0.2], rtol=1e-6)
    assert (spec.on_nan, records.globals.jet_pt.tolist(), records.label.tolist()) == ("drop", [80, 70], [0, 1])


def test_what_cannot_be_drafted_or_described(write_tree: Callable[..., Path], tmp_path: Path) -> None:
    path = write_tree({"x": np.arange(3.0)}, tree="t")
    with pytest.raises(InputError, match="no tree u in this file; it holds: t"):
        inspect(path, "u")
    assert "no list of objects with pt eta phi" in str(inspect(path))
    with pytest.raises(InputError, match="no such file"):
        inspect(tmp_path / "none.root")
    arrays = tmp_path / "qg.npz"
    np.savez(arrays, X=np.ones((4, 3, 4)), y=np.array([0, 1, 0, 1]))
    with pytest.raises(InputError, match=r"X holds several numbers of each object.* Try the shipped spec energyflow"):
        inspect(arrays).draft_spec()
    page = tmp_path / "page.root"
    page.write_text("<html>404</html>")
    with pytest.raises(
        InputError, match="a ROOT, HDF5, parquet, npz, LHE or CSV file was expected; it is an HTML page"
    ):
        inspect(page)


def test_a_column_with_a_null_is_named_and_left_aside(tmp_path: Path) -> None:
    columns = {
        f"{kind}_{name}": ak.Array([[30.0, 20.0], [25.0]]) / scale
        for kind in ("jet", "muon")
        for name, scale in (("pt", 1), ("eta", 30), ("phi", 30))
    }
    columns["muon_pt"] = ak.Array([[30.0, None], [25.0]])
    path = tmp_path / "nulls.parquet"
    ak.to_parquet(ak.zip({**columns, "event": np.arange(2)}, depth_limit=1), path)
    found = inspect(path)
    assert found.nulls == ["muon_pt"] and set(found.nodes) == {"jet"}
    assert "with nulls    muon_pt (cannot be read before they are numbers)" in str(found)
    assert "# Left out because it has nulls: muon_pt." in found.draft_spec()


def test_one_is_singular(write_tree: Callable[..., Path]) -> None:
    assert "tree t: 1 entry, 1 branch\n" in str(inspect(write_tree({"x": np.arange(1.0)}, tree="t")))
    assert "tree t: 2 entries, 2 branches\n" in str(
        inspect(write_tree({"x": np.arange(2.0), "y": np.arange(2.0)}, tree="t"))
    )
