"""The HDF5 source: each layout against loops with h5py, and files that are broken or lead elsewhere."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import awkward as ak
import h5py
import numpy as np
import pytest
import vector

import root_gnn as rg
from root_gnn.data.sources.hdf5 import Config
from root_gnn.errors import InputError

N = 500


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file with every layout: padded, records, columns of the last axis, texts, lists, and another number of rows."""
    rng = np.random.default_rng(1)
    jets = np.zeros(N, [("pt", ">f4"), ("n", "u1"), ("cov", "f4", (3,))])
    tracks = np.zeros((N, 6), [("d0", "f2"), ("valid", "?"), *[(f"f{k}", "f4") for k in range(8)]])
    for array in (jets, tracks):
        for name in array.dtype.names or ():
            array[name] = rng.integers(0, 9, array[name].shape)
    with h5py.File(tmp_path / "all.h5", "w") as file:
        file.attrs.update({"cross_section": 1.5, "process": "ttbar", "list": [1, 2], "nan": np.nan})
        file.create_dataset(
            "INPUTS/Source/pt", data=rng.random((N, 10), dtype=np.float32), chunks=(64, 10), compression="gzip"
        )
        file.create_dataset("INPUTS/Source/MASK", data=rng.random((N, 10)) < 0.5)
        file["jets"], file["tracks"] = jets, tracks
        file["PFCands"] = rng.random((N, 7, 4))
        file["odd name: é.1/x y"] = np.arange(N, dtype=np.uint64)
        file["sample"] = np.array([f"s{k}é" for k in range(N)], dtype=h5py.string_dtype())
        ragged = file.create_dataset("ragged", (N,), dtype=h5py.vlen_dtype(np.int16))
        for k in range(N):
            ragged[k] = np.arange(k % 4)
        file["counts"] = np.arange(3)
        file["scalar"] = 3.0
    return tmp_path / "all.h5"


@pytest.fixture
def hepfile(tmp_path: Path) -> Path:
    """hepfile's layout of today."""
    counts = np.random.default_rng(2).integers(0, 4, N)
    with h5py.File(tmp_path / "hep.h5", "w") as file:
        pairs = [("jets", "jets/njet"), ("jets/pt", "jets/njet"), ("met", "_SINGLETONS_GROUP_/COUNTER")]
        file["_MAP_DATASETS_TO_COUNTERS_"] = np.array(pairs, dtype="S30")
        file["_SINGLETONS_GROUP_/COUNTER"] = np.ones(N, dtype=int)
        file["jets/njet"], file["met"] = counts, np.arange(N, dtype=np.float32)
        file["jets/pt"] = np.arange(counts.sum(), dtype=np.float32)
        file["jets/cov"] = np.arange(2.0 * counts.sum()).reshape(-1, 2)  # not in the list: the group says its counter
        file["jets"].attrs["counter"] = np.bytes_("jets/njet")
        file.attrs["_NUMBER_OF_BUCKETS_"] = N
    return tmp_path / "hep.h5"


def read(path: Path, *branches: str, start: int = 0, stop: int | None = None, group: str = "") -> dict[str, Any]:
    with Config(group=group).open(path) as source:
        return source.read(branches, start, source.n_entry if stop is None else stop)


def pieces(path: Path, branches: tuple[str, ...], ranges: Iterator[tuple[int, int]]) -> dict[str, Any]:
    with Config().open(path) as source:
        parts = [source.read(branches, *span) for span in ranges]
    return {name: ak.concatenate([part[name] for part in parts]) for name in branches}


def test_every_layout_equals_h5py(path: Path) -> None:
    with h5py.File(path) as file:
        expected = {
            "INPUTS/Source/pt": file["INPUTS/Source/pt"][:],
            "INPUTS/Source/MASK": file["INPUTS/Source/MASK"][:],
            "INPUTS/Source/pt.3": file["INPUTS/Source/pt"][:, 3],
            "jets.pt": file["jets"]["pt"],
            "jets.n": file["jets"]["n"],
            "jets.cov": file["jets"]["cov"],
            "jets.cov.2": file["jets"]["cov"][:, 2],
            "tracks.d0": file["tracks"]["d0"],
            "tracks.valid": file["tracks"]["valid"],
            "PFCands.0": file["PFCands"][:, :, 0],
            "PFCands": file["PFCands"][:],
            "PFCands.3": file["PFCands"][:, :, 3],
            "odd name: é.1/x y": file["odd name: é.1/x y"][:],
        }
    arrays = read(path, *expected)
    for name, array in expected.items():
        assert arrays[name].tolist() == array.tolist(), name
    assert read(path, "sample")["sample"].tolist() == [f"s{k}é" for k in range(N)]
    assert read(path, "ragged")["ragged"].tolist() == [list(range(k % 4)) for k in range(N)]


def test_types_are_those_of_what_is_read(path: Path, hepfile: Path) -> None:
    for file in (path, hepfile):
        with Config().open(file) as source:
            types = {name: source.type_of(name) for name in source.branches}
            arrays = source.read(tuple(name for name, kind in types.items() if kind), 0, 20)
        assert {name: str(array.type.content) for name, array in arrays.items()} == {
            name: kind for name, kind in types.items() if kind
        }
        if file == path:
            assert types["tracks.d0"] == "6 * float16"
            assert types["PFCands.1"] == "7 * float64"
            assert types["ragged"] == "var * int16"
            assert types["sample"] == "string"
            assert types["counts"] == ""
        else:
            assert types["jets/pt"] == "var * float32"
            assert types["jets/cov"] == "var * 2 * float64"


@pytest.mark.parametrize("fields", [1, 8, 10])
def test_any_number_of_fields(path: Path, fields: int) -> None:
    names = ["d0", "valid", *[f"f{k}" for k in range(8)]][:fields]
    arrays = read(path, *[f"tracks.{name}" for name in names], start=3, stop=9)
    with h5py.File(path) as file:
        assert {name: arrays[f"tracks.{name}"].tolist() for name in names} == {
            name: file["tracks"][name][3:9].tolist() for name in names
        }


def test_chunks_cover_the_file_and_change_nothing(path: Path, hepfile: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Config().open(path) as source:
        assert list(source.chunks(tuple(name for name in source.branches if source.type_of(name)))) == [(0, N)]
        with pytest.raises(InputError, match="counts has 3 rows"):
            next(source.chunks(("jets.pt", "counts")))
    monkeypatch.setattr("root_gnn.data.formats.fixed_rows.CHUNK_BYTES", 4_000)
    monkeypatch.setattr("root_gnn.data.formats.hdf5_counter.BLOCK", 37)
    for file, branches in (
        (path, ("INPUTS/Source/pt", "tracks.d0", "ragged", "sample")),
        (hepfile, ("jets/pt", "jets/cov", "met")),
    ):
        with Config().open(file) as source:
            ranges = list(source.chunks(branches))
        assert ranges[0][0] == 0
        assert ranges[-1][1] == N
        assert len(ranges) >= 3
        assert all(a[1] == b[0] for a, b in itertools.pairwise(ranges))
        whole, parts = read(file, *branches), pieces(file, branches, iter(ranges))
        assert {name: array.tolist() for name, array in parts.items()} == {
            name: array.tolist() for name, array in whole.items()
        }
    with Config().open(path) as source:
        assert next(source.chunks(("INPUTS/Source/pt",)))[1] == 64  # a whole storage chunk


def test_counters_by_a_loop(hepfile: Path) -> None:
    with h5py.File(hepfile) as file:
        counts, flat = file["jets/njet"][:], file["jets/pt"][:]
    ends = np.cumsum(counts)
    arrays = read(hepfile, "jets/pt", "jets/cov.1", "jets/njet", "met", start=100, stop=300)
    assert arrays["jets/pt"].tolist() == [flat[ends[k] - counts[k] : ends[k]].tolist() for k in range(100, 300)]
    assert ak.num(arrays["jets/cov.1"]).tolist() == arrays["jets/njet"].tolist() == counts[100:300].tolist()
    assert arrays["met"].tolist() == list(range(100, 300))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"jets/njet": -1}, r"jets/njet is -1 in entry 7"),
        ({"jets/njet": 5}, r"jets/pt has \d+ values, but its counter jets/njet adds up to \d+"),
    ],
)
def test_counters_that_lie(hepfile: Path, change: dict[str, int], message: str) -> None:
    with h5py.File(hepfile, "a") as file:
        for name, value in change.items():
            file[name][7] = value
    with pytest.raises(InputError, match=message):
        read(hepfile, "jets/pt")


def test_a_counter_that_is_none(hepfile: Path) -> None:
    with h5py.File(hepfile, "a") as file:
        counts = file["jets/njet"][:]
        del file["jets/njet"]
        file["jets/njet"] = counts.astype(np.float32)
    with pytest.raises(InputError, match=r"jets/njet should be one whole number per entry"):
        read(hepfile, "jets/pt")
    with h5py.File(hepfile, "a") as file:
        del file["jets/njet"]
    with pytest.raises(InputError, match=r"is counted by jets/njet, and there is no such dataset"):
        read(hepfile, "met")


def test_the_number_of_buckets_must_be_right(hepfile: Path) -> None:
    with h5py.File(hepfile, "a") as file:
        file.attrs["_NUMBER_OF_BUCKETS_"] = N + 1
    with pytest.raises(InputError, match=rf"says _NUMBER_OF_BUCKETS_ = {N + 1}, but its counters have {N} rows"):
        read(hepfile, "met")


def test_rows_that_disagree(path: Path) -> None:
    with pytest.raises(InputError, match=rf"counts has 3 rows, but the file has {N} entries \(as .*\).*group"):
        read(path, "counts")


def test_groups(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "g.h5", "w") as file:
        for name, rows in (("train", 8), ("test", 3)):
            file[f"{name}/x"], file[f"{name}/y"] = np.arange(rows), np.ones(rows)
    assert Config.found_in(tmp_path / "g.h5") == [Config(), Config(group="test")]
    assert read(tmp_path / "g.h5", "x", group="test")["x"].tolist() == [0, 1, 2]
    with pytest.raises(InputError, match=r"there is no group tost.*did you mean test"):
        read(tmp_path / "g.h5", "x", group="tost")


def test_counters_below_a_group(hepfile: Path, tmp_path: Path) -> None:
    with h5py.File(hepfile) as old, h5py.File(tmp_path / "two.h5", "w") as new:
        old.copy("/", new, name="train")
    expected = read(hepfile, "jets/pt")["jets/pt"].tolist()
    assert read(tmp_path / "two.h5", "jets/pt", group="train")["jets/pt"].tolist() == expected


def test_metadata_is_plain_and_finite(path: Path) -> None:
    with Config().open(path) as source:
        assert source.metadata() == {"cross_section": 1.5, "process": "ttbar"}


def test_names_that_are_not_there(path: Path) -> None:
    with pytest.raises(InputError, match=r"no dataset or field jets\.pT.*did you mean jets\.pt"):
        read(path, "jets.pT")
    with pytest.raises(InputError, match="entries 0 to 500 were requested; the file has 500"):
        read(path, "jets.pt", stop=N + 1)


def external_link(file: Any, secret: Path) -> None:
    file["stolen"] = h5py.ExternalLink(secret.name, "x")


def virtual_dataset(file: Any, secret: Path) -> None:
    layout = h5py.VirtualLayout((3,), "f8")
    layout[:] = h5py.VirtualSource(secret, "x", shape=(3,))
    file.create_virtual_dataset("stolen", layout)


def external_storage(file: Any, secret: Path) -> None:
    file.create_dataset("stolen", (3,), "f8", external=[(str(secret), 0, 24)])


def link_behind_a_link(file: Any, secret: Path) -> None:
    file["away"] = h5py.ExternalLink(secret.name, "/")
    file["stolen"] = h5py.SoftLink("/away/x")


@pytest.mark.parametrize("way_out", [external_link, virtual_dataset, external_storage, link_behind_a_link])
def test_no_other_file_is_read(tmp_path: Path, way_out: Any) -> None:
    with h5py.File(tmp_path / "secret.h5", "w") as file:
        file["x"] = np.arange(3.0)
    with h5py.File(tmp_path / "bad.h5", "w") as file:
        file["good/x"] = np.arange(3.0)
        way_out(file, tmp_path / "secret.h5")
    with pytest.raises(
        InputError, match=r"(stolen|away) (is a link into|is a virtual|keeps its numbers in).*Only files that were"
    ):
        read(tmp_path / "bad.h5", "good/x")
    assert read(tmp_path / "bad.h5", "x", group="good")["x"].tolist() == [0, 1, 2]
    with pytest.raises(InputError, match=r"is a link into|there is no group"):
        read(tmp_path / "bad.h5", "x", group="away")


def test_links_inside_the_file(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "links.h5", "w") as file:
        file["a/x"] = np.arange(3.0)
        file["a/loop"] = file["/"]
        file["same"], file["a/near"] = h5py.SoftLink("/a/x"), h5py.SoftLink("x")
        file["lost"], file["round"] = h5py.SoftLink("/a/nothing"), h5py.SoftLink("/round")
    arrays = read(tmp_path / "links.h5", "same", "a/near")
    assert arrays["same"].tolist() == arrays["a/near"].tolist() == [0, 1, 2]
    assert read(tmp_path / "links.h5", "near", group="a")["near"].tolist() == [0, 1, 2]
    for name in ("lost", "round"):
        with pytest.raises(InputError, match=rf"{name} is a link to /.*there is no such dataset"):
            read(tmp_path / "links.h5", name)


@pytest.mark.parametrize("keep", [4, 60, 0.3, 0.9, 0.999])
def test_truncated_files(path: Path, keep: float) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: int(keep * len(content)) if keep < 1 else int(keep)])
    with pytest.raises(InputError, match=r"truncated|no format known"):
        read(path, "jets.pt")


def test_damaged_chunk_and_unknown_compression(path: Path) -> None:
    with h5py.File(path) as file:
        place = file["INPUTS/Source/pt"].id.get_chunk_info(3).byte_offset
    content = bytearray(path.read_bytes())
    content[place : place + 200] = bytes(200)
    path.write_bytes(content)
    assert len(read(path, "jets.pt")["jets.pt"]) == N
    with pytest.raises(InputError, match=r"INPUTS/Source/pt cannot be read at rows 0 to 499; the file is damaged"):
        read(path, "INPUTS/Source/pt")


def test_other_files(tmp_path: Path, data_dir: Path) -> None:
    with pytest.raises(InputError, match="an HDF5 file was expected; it is ROOT"):
        read(data_dir / "WH.root", "x")
    with h5py.File(tmp_path / "empty.h5", "w") as file:
        file["scalar"] = 1.0
    with pytest.raises(InputError, match="holds no datasets with rows of numbers"):
        read(tmp_path / "empty.h5", "scalar")
    with h5py.File(tmp_path / "none.h5", "w") as file:
        file["x"] = np.empty((0, 4))
    assert read(tmp_path / "none.h5", "x", "x.1")["x"].tolist() == []


def test_real_hepfiles(real_data: Path) -> None:
    for name, n_entry, n_without in (("mc_dy_1000collisions", 1000, 32), ("small_cms_test_file", 10, 9)):
        file = real_data / "hdf5" / f"{name}.hdf5"
        arrays = read(file, "jets/px", "jets/e", "muons/q", "METx")
        assert len(arrays["METx"]) == n_entry
        assert int(ak.sum(ak.num(arrays["jets/px"]) == 0)) == n_without
        with h5py.File(file) as direct:
            ends = np.cumsum(direct["jets/njets"][:])
            assert arrays["jets/e"].tolist() == [part.tolist() for part in np.split(direct["jets/e"][:], ends[:-1])]


def test_real_spanet_and_flavour_tagging(real_data: Path) -> None:
    arrays = read(
        real_data / "hdf5" / "spanet_full_hadronic_ttbar.h5", "INPUTS/Source/MASK", "INPUTS/Source/pt", "TARGETS/t1/b"
    )
    n_jet = ak.sum(arrays["INPUTS/Source/MASK"], axis=1)
    assert (len(n_jet), int(ak.min(n_jet)), int(ak.max(n_jet))) == (10_000, 6, 10)
    mock = real_data / "standin" / "ftag_mock_a.h5"
    tracks = read(mock, "tracks.d0", "tracks.valid", "jets.pt_btagJes")
    with h5py.File(mock) as direct:
        assert tracks["tracks.valid"].tolist() == direct["tracks"]["valid"].tolist()
        assert tracks["jets.pt_btagJes"].tolist() == direct["jets"]["pt_btagJes"].tolist()
    assert Config.found_in(mock) == [Config(), Config(group="cutBookkeeper")]


def graphs(file: Path, spec: str) -> Any:
    loaded = rg.load_spec(spec)
    return rg.build_graphs(rg.read(file, loaded), loaded)


def test_spanet_graphs_are_the_slots_that_are_real(real_data: Path) -> None:
    file = real_data / "hdf5" / "spanet_full_hadronic_ttbar.h5"
    batch = graphs(file, "spanet")
    with h5py.File(file) as direct:
        jets = {name: direct[f"INPUTS/Source/{name}"][:] for name in ("MASK", "pt", "eta", "mass", "btag")}
    real = jets["MASK"]
    assert batch.n_node.tolist() == real.sum(axis=1).tolist()
    assert batch.nodes[:, 0].tolist() == jets["pt"][real].tolist()
    assert batch.nodes[:, 4].tolist() == jets["btag"][real].tolist()
    momenta = vector.array(
        {"pt": jets["pt"][real], "eta": jets["eta"][real], "phi": 0 * jets["pt"][real], "mass": jets["mass"][real]}
    )
    np.testing.assert_allclose(batch.nodes[:, 3].numpy(), momenta.energy, rtol=1e-5)


def test_hepfile_graphs(real_data: Path) -> None:
    file = real_data / "hdf5" / "mc_dy_1000collisions.hdf5"
    batch = graphs(file, "hepfile")
    with h5py.File(file) as direct:
        counts = sum(direct[f"{name}/n{name}"][:] for name in ("jets", "electrons", "muons", "photons"))
        muons = vector.array({name: direct[f"muons/{name}"][:].astype(float) for name in ("px", "py", "pz", "e")})
        charge = direct["muons/q"][:]
    assert batch.n_node.tolist() == (counts + 1).tolist()  # and missing momentum
    kept = batch.nodes[batch.nodes[:, 6] == 2].double().numpy()
    for column, expected in ((0, muons.pt), (1, muons.eta), (2, muons.phi), (5, charge)):
        np.testing.assert_allclose(kept[:, column], expected, rtol=1e-5, atol=1e-6)


def test_flavour_tagging_graphs(real_data: Path) -> None:
    file = real_data / "standin" / "ftag_mock_a.h5"
    batch = graphs(file, "atlas_flavour_tagging")
    with h5py.File(file) as direct:
        tracks, jets = direct["tracks"][:], direct["jets"][:]
    real = tracks["valid"]
    assert batch.n_node.tolist() == real.sum(axis=1).tolist()
    eta = (jets["eta_btagJes"].astype(float)[:, None] + tracks["deta"])[real]
    np.testing.assert_allclose(batch.nodes[:, 1], eta, rtol=1e-5)
    np.testing.assert_allclose(
        batch.nodes[:, 3], 1e-3 / tracks["qOverP"][real], rtol=1e-4
    )  # massless: the energy is the momentum


def test_aspen_graphs(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    n_jet, n_real = 12, rng.integers(1, 20, 12)
    particles = np.zeros((n_jet, 150, 11), np.float32)
    for jet, count in enumerate(n_real):
        momentum = rng.normal(0, 20, (count, 3))
        particles[jet, :count, :4] = np.c_[momentum, np.sqrt((momentum**2).sum(axis=1) + 0.02)]
        particles[jet, :count, 9] = rng.choice([211, -211, 130, 22, -11, 13], count)
    with h5py.File(tmp_path / "aspen.h5", "w") as file:
        file["PFCands"], file["jet_kinematics"] = particles, rng.random((n_jet, 4))
        file["event_info"] = np.c_[np.full((n_jet, 2), 7), np.arange(n_jet) // 2]
    batch = graphs(tmp_path / "aspen.h5", "aspen_open_jets")
    columns = {
        name: batch.nodes[:, place].numpy() for place, name in enumerate(rg.load_spec("aspen_open_jets").node_features)
    }
    real = particles[particles[:, :, 3] > 0]
    assert batch.n_node.tolist() == n_real.tolist()
    np.testing.assert_allclose(columns["pt"], np.hypot(real[:, 0], real[:, 1]), rtol=1e-5)
    flags = {"is_charged_hadron": 211, "is_neutral_hadron": 130, "is_photon": 22, "is_electron": 11, "is_muon": 13}
    for name, number in flags.items():
        assert columns[name].tolist() == (np.abs(real[:, 9]) == number).tolist()
