"""The ROOT source: what it lists, what it refuses, and names that are awkward to open."""

from __future__ import annotations

import itertools
import math
import os
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pytest
import uproot
import vector
from pydantic import ValidationError

from root_gnn.data.sources.root import Config, SumOfWeights
from root_gnn.errors import InputError


@pytest.fixture
def path(write_tree: Callable[..., Path]) -> Path:
    return write_tree({"x": np.arange(1000.0), "y": np.arange(1000, dtype=np.int16)})


def read(path: Path, stop: int, *, branch: str = "x", tree: str = "Events") -> list[Any]:
    with Config(tree=tree).open(path) as source:
        values: list[Any] = source.read((branch,), 0, stop)[branch].tolist()
    return values


def metadata(path: Path) -> dict[str, Any]:
    with Config(tree="Events").open(path) as source:
        return source.metadata()


def test_lists_and_reads(path: Path) -> None:
    with Config(tree="Events").open(path) as source:
        assert source.n_entry == 1000
        assert source.branches == ("x", "y")
        arrays = source.read(("y",), 10, 13)
    assert list(arrays) == ["y"]
    assert arrays["y"].tolist() == [10, 11, 12]


def test_metadata_is_plain_and_finite(data_dir: Path, path: Path) -> None:
    assert metadata(path) == {}
    facts = metadata(data_dir / "WH.root")
    assert facts["process"] == "WH"
    assert type(facts["n_kept"]) is int
    assert facts["n_kept"] == 300
    with uproot.update(path) as file:
        file.mktree("metadata", {"cross_section": np.float64, "n_tried": np.int64})
        file["metadata"].extend({"cross_section": np.array([math.nan]), "n_tried": np.array([5])})
    assert metadata(path) == {"n_tried": 5}


@pytest.mark.parametrize("name", ["a[1].root", "what?*.root", "Größe & co.root", "with:colon.root", "a b.root"])
def test_awkward_file_names(path: Path, name: str) -> None:
    moved = path.rename(path.with_name(name))
    assert read(moved, 2) == [0, 1]


def test_missing_tree_and_branch(path: Path) -> None:
    with pytest.raises(InputError, match=r"no tree Event in this file; it holds: Events"):
        read(path, 1, tree="Event")
    with pytest.raises(
        InputError,
        match=r"the tree Events has no branch xx.*known are|the tree Events has no branch xx; did you mean x",
    ):
        read(path, 1, branch="xx")


def test_a_file_without_trees(tmp_path: Path) -> None:
    with uproot.recreate(tmp_path / "h.root") as file:
        file["h"] = np.histogram(np.arange(5.0))
    with pytest.raises(InputError, match="holds no tree at all"):
        read(tmp_path / "h.root", 1)


@pytest.mark.parametrize("keep", [4, 60, 300, 0.5, 0.9, 0.99])
def test_truncated_files(path: Path, keep: float) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: int(keep * len(content)) if keep < 1 else int(keep)])
    with pytest.raises(InputError, match=r"truncated|damaged"):
        read(path, 1000)


def test_damaged_basket(path: Path) -> None:
    with uproot.open(path) as file:
        place = int(file["Events"]["x"].member("fBasketSeek")[0]) + 200
    content = bytearray(path.read_bytes())
    content[place : place + 50] = bytes(50)
    path.write_bytes(content)
    with pytest.raises(InputError, match="damaged or truncated"):
        read(path, 1000)


def test_chunks_cover_the_file(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Config(tree="Events").open(path) as source:
        assert list(source.chunks(("x", "y"))) == [(0, 1000)]
        monkeypatch.setattr("root_gnn.data.sources.root.CHUNK_BYTES", 2000)
        monkeypatch.setattr("root_gnn.data.sources.root.SMALLEST_CHUNK", 10)
        chunks = list(source.chunks(("x", "y")))
    assert chunks[0][0] == 0
    assert chunks[-1][1] == 1000
    assert all(a[1] == b[0] for a, b in itertools.pairwise(chunks))
    assert len(chunks) >= 5


def test_no_expression_is_ever_evaluated(path: Path) -> None:
    with pytest.raises(InputError, match=r"no branch x\+1"):
        read(path, 1, branch="x+1")


@pytest.fixture
def real() -> Callable[[str], Path]:
    """The path of a real file; skips the test where there are none."""
    folder = os.environ.get("ROOT_GNN_REAL_DATA")

    def find(name: str) -> Path:
        path = Path(folder or "") / name
        if not folder or not path.is_file():
            pytest.skip(f"{name} is not there; set ROOT_GNN_REAL_DATA")
        return path

    return find


DELPHES = "delphes/uproot-issue513.root"
NESTED = "flat/uproot-issue-816.root"
REAL = (
    "edm4hep/test_FCC_Winter2023.root",
    "nanoaod/scouting_nano.root",
    "flat/uproot-Zmumu.root",
    "rntuple/Run2012BC_DoubleMuParked_Muons_1000evts_rntuple_v1-0-0-0.root",
)


def test_types_without_reading(tmp_path: Path) -> None:
    types = {"n": "uint64", "list": "var * float64", "flag": "bool", "small": "var * int8", "fixed": "5 * float32"}
    columns = {
        "n": np.arange(3, dtype=np.uint64),
        "list": ak.Array([[1.0], [], [2.0, 3.0]]),
        "flag": np.array([True, False, True]),
        "small": ak.values_astype(ak.Array([[1], [], [2]]), np.int8),
        "fixed": np.ones((3, 5), dtype=np.float32),
    }
    path = tmp_path / "t.root"
    with uproot.recreate(path) as file:
        file.mktree("t", types | {"fixed": np.dtype((np.float32, (5,)))})
        file["t"].extend(columns)
    with Config(tree="t").open(path) as source:
        assert {name: source.type_of(name) for name in columns} == types
        arrays = source.read(tuple(columns), 0, 3)
        assert source.type_of("absent") == ""
    assert {name: str(array.type.content) for name, array in arrays.items()} == types
    assert arrays["list"].tolist() == columns["list"].tolist()


@pytest.mark.parametrize("name", [DELPHES, NESTED, *REAL])
def test_types_of_real_files_are_those_read(real: Callable[[str], Path], name: str) -> None:
    path = real(name)
    refused = []
    with Config.found_in(path)[0].open(path) as source:
        for branch in source.branches:
            try:
                seen = str(source.read((branch,), 0, 2)[branch].type.content)
            except InputError:
                refused.append(branch)
                continue
            assert seen == source.type_of(branch) or "@" in source.type_of(branch), branch
    assert refused in ([], ["PARAMETERS"], ["Particle/Particle.fBits", "Particle.fBits"])


def test_delphes_names_and_vectors(real: Callable[[str], Path]) -> None:
    path = real(DELPHES)
    names = (
        "Jet/Jet.PT",
        "Jet.PT",
        "Jet.Tau[5]",
        "Jet.Area.px",
        "Jet.Area.py",
        "Jet.Area.pz",
        "Jet.Area.energy",
        "Jet/Jet.Area.fP.fX",
    )
    with Config(tree="Delphes").open(path) as source:
        arrays = source.read(names, 2, 10)
        assert source.type_of("Jet.Tau[5]") == "var * 5 * float32"
        assert source.type_of("Jet.SoftDroppedP4[5].energy") == "var * 5 * float64"
        assert source.type_of("Jet.Constituents.refs") == "var * var * int32"
        assert source.read(("GenJet.PT",), 0, 1)["GenJet.PT"].tolist() != arrays["Jet.PT"][:1].tolist()
    assert arrays["Jet/Jet.PT"].tolist() == arrays["Jet.PT"].tolist()
    assert arrays["Jet.Area.px"].tolist() == arrays["Jet/Jet.Area.fP.fX"].tolist()
    with uproot.open(path) as file:
        area = file["Delphes"]["Jet/Jet.Area"].array(entry_start=2)
    expected = vector.zip({"px": area.fP.fX, "py": area.fP.fY, "pz": area.fP.fZ, "E": area.fE})
    seen = vector.zip(
        {key: arrays[f"Jet.Area.{name}"] for key, name in (("px", "px"), ("py", "py"), ("pz", "pz"), ("E", "energy"))}
    )
    assert ak.all(seen.pt == expected.pt)
    assert ak.all(seen.mass == expected.mass)
    assert ak.num(arrays["Jet.PT"]).tolist() == [5, 4, 5, 5, 6, 6, 6, 9]


def test_nested_vectors(real: Callable[[str], Path]) -> None:
    branch = "offline_akt4_pf_NOSYS_SumPtTrkPt500"
    path = real(NESTED)
    with Config(tree="AnalysisMiniTree").open(path) as source:
        assert source.type_of(branch) == "var * var * float32"
        array = source.read((branch,), 10, 20)[branch]
    with uproot.open(path) as file:
        objects = file["AnalysisMiniTree"][branch].array(
            entry_start=10, entry_stop=20, library="np"
        )  # read by another part of uproot
    assert array.tolist() == [event.tolist() for event in objects]


def test_rntuple_records_and_colons(write_tree: Callable[..., Path]) -> None:
    jets = ak.Array([[{"pt": 30.0, "eta": 0.5}], [], [{"pt": 50.0, "eta": -1.0}, {"pt": 40.0, "eta": 2.0}]])
    nested = ak.Array([[[1.0], []], [], [[2.0, 3.0]]])
    path = write_tree(
        {"jets": jets, "A:pt": ak.Array([[1.0], [], [2.0]]), "nested": nested, "n": np.arange(3)}, rntuple=True
    )
    with Config(tree="Events").open(path) as source:
        arrays = source.read(("jets.pt", "A.pt", "A:pt", "nested", "n"), 1, 3)
        types = [source.type_of(name) for name in ("jets.pt", "A.pt", "nested", "n")]
    assert types == ["var * float64", "var * float64", "var * var * float64", "int64"]
    assert arrays["jets.pt"].tolist() == [[], [50.0, 40.0]]
    assert arrays["A.pt"].tolist() == arrays["A:pt"].tolist() == [[], [2.0]]
    assert arrays["nested"].tolist() == [[], [[2.0, 3.0]]]


def trees(path: Path, **columns: dict[str, Any]) -> Path:
    with uproot.recreate(path) as file:
        for name, content in columns.items():
            file.mktree(name, {key: np.asarray(value).dtype for key, value in content.items()})
            file[name].extend(content)
    return path


def test_several_trees_are_one_run_of_entries(tmp_path: Path) -> None:
    path = trees(
        tmp_path / "a.root",
        sig={"x": np.arange(3.0), "y": np.ones(3)},
        none={"x": np.zeros(0)},
        bkg={"x": np.arange(10.0, 14.0)},
    )
    with Config(tree=("sig", "none", "bkg")).open(path) as source:
        assert source.n_entry == 7
        assert source.branches == ("x", "tree")
        assert source.type_of("tree") == "int64"
        assert list(source.chunks(("x", "tree"))) == [(0, 3), (3, 7)]
        whole = source.read(("tree", "x"), 0, 7)
        part = source.read(("x", "tree"), 2, 5)
        assert source.read(("x",), 4, 4)["x"].tolist() == []
        with pytest.raises(InputError, match="the tree bkg has no branch y"):
            source.read(("y",), 0, 7)
    assert whole["x"].tolist() == [0, 1, 2, 10, 11, 12, 13]
    assert whole["tree"].tolist() == [0, 0, 0, 2, 2, 2, 2]
    assert part["x"].tolist() == [2, 10, 11]
    assert part["tree"].tolist() == [0, 2, 2]


def test_trees_that_do_not_go_together(tmp_path: Path) -> None:
    path = trees(tmp_path / "a.root", a={"tree": np.arange(3)}, b={"tree": np.arange(3)})
    with pytest.raises(InputError, match="the tree a has a branch called tree"), Config(tree=("a", "b")).open(path):
        pass
    with Config(tree="a").open(path) as source:
        assert source.read(("tree",), 0, 3)["tree"].tolist() == [0, 1, 2]
    with uproot.recreate(path) as file:
        file.mktree("a", {"x": "float64"})
        file["a"].extend({"x": np.arange(2.0)})
        file.mktree("b", {"x": "var * float64"})
        file["b"].extend({"x": ak.Array([[1.0]])})
    with Config(tree=("a", "b")).open(path) as source, pytest.raises(InputError, match="not of one type in the trees"):
        source.read(("x",), 0, 3)
    for given in ((), ("a", "a")):
        with pytest.raises(ValidationError, match="a list of different ones"):
            Config(tree=given)


def test_sum_of_weights(tmp_path: Path) -> None:
    path = trees(
        tmp_path / "a.root",
        Events={"x": np.arange(3.0)},
        Runs={"sumw": np.array([1.5, -0.25]), "bad": np.array([1.0, np.nan])},
    )

    def total(**where: Any) -> dict[str, Any]:
        with Config(tree="Events", sum_of_weights=SumOfWeights(**where)).open(path) as source:
            return source.metadata()

    assert total(tree="Runs", branch=("genEventSumw", "sumw")) == {"sum_of_weights": 1.25}
    assert total(tree="Runs", branch="absent", optional=True) == {}
    assert total(tree="Absent", branch="sumw", optional=True) == {}
    with pytest.raises(InputError, match="there is no tree Absent"):
        total(tree="Absent", branch="sumw")
    with pytest.raises(InputError, match="the tree Runs has no branch absent"):
        total(tree="Runs", branch="absent")
    with pytest.raises(InputError, match="adds up to nan"):
        total(tree="Runs", branch="bad")


def test_likely_trees_come_first(tmp_path: Path) -> None:
    one = {"x": np.arange(2.0)}
    path = trees(
        tmp_path / "a.root",
        metadata=one,
        large={"x": np.arange(50.0)},
        wide={"x": np.arange(30.0), "y": np.arange(30.0)},
        Events=one,
        Delphes={"x": np.zeros(0)},
    )
    assert [config.tree for config in Config.found_in(path)] == ["Events", "wide", "large", "metadata", "Delphes"]


@pytest.fixture
def jagged(tmp_path: Path) -> Path:
    """Lists of 2, 0, 1 and 3 values with their counter, nothing compressed."""
    path = tmp_path / "jagged.root"
    with uproot.recreate(path, compression=None) as file:
        file.mktree("Events", {"jet": ak.types.from_datashape("var * {pt: float64, eta: float64}", highlevel=False)})
        values = ak.unflatten(ak.zip({"pt": np.arange(6.0), "eta": np.arange(6.0)}, depth_limit=1), [2, 0, 1, 3])
        file["Events"].extend({"jet": values})
    return path


def overwrite(path: Path, branch: str, old: bytes, new: bytes) -> None:
    """Replaces bytes inside of the first basket of a branch."""
    with uproot.open(path) as file:
        start = int(file["Events"][branch].member("fBasketSeek")[0])
        stop = start + int(file["Events"][branch].member("fBasketBytes")[0])
    content = bytearray(path.read_bytes())
    place = content.index(old, start, stop)
    content[place : place + len(old)] = new
    path.write_bytes(content)


def test_counters_must_agree(jagged: Path) -> None:
    assert read(jagged, 4, branch="jet_pt") == [[0.0, 1.0], [], [2.0], [3.0, 4.0, 5.0]]
    overwrite(jagged, "njet", struct.pack(">4i", 2, 0, 1, 3), struct.pack(">4i", 2, 1, 0, 3))
    with pytest.raises(InputError, match=r"jet_pt has 0 values in entry 1, but its counter njet says 1"):
        read(jagged, 4, branch="jet_pt")
    with Config(tree="Events").open(jagged) as source:
        assert source.read(("jet_eta",), 3, 4)["jet_eta"].tolist() == [[3.0, 4.0, 5.0]]


def test_shifted_offsets_are_noticed(jagged: Path) -> None:
    with uproot.open(jagged) as file:
        basket = file["Events"]["jet_pt"].basket(0)
        offsets = np.asarray(basket.byte_offsets) + int(basket.member("fKeylen"))  # in the file they count from the key
    moved = offsets.copy()
    moved[1] += 8
    overwrite(jagged, "jet_pt", offsets[:-1].astype(">i4").tobytes(), moved[:-1].astype(">i4").tobytes())
    with pytest.raises(InputError, match="jet_pt has 3 values in entry 0, but its counter njet says 2"):
        read(jagged, 4, branch="jet_pt")


def test_chunks_begin_where_baskets_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "baskets.root"
    with uproot.recreate(path) as file:
        file.mktree("Events", {"x": np.float64})
        for _ in range(5):
            file["Events"].extend({"x": np.arange(300.0)})
    monkeypatch.setattr("root_gnn.data.sources.root.CHUNK_BYTES", 8 * 400)
    monkeypatch.setattr("root_gnn.data.sources.root.SMALLEST_CHUNK", 10)
    with Config(tree="Events").open(path) as source:
        chunks = list(source.chunks(("x",)))
        assert np.concatenate([source.read(("x",), *chunk)["x"] for chunk in chunks]).tolist() == list(range(300)) * 5
    assert chunks == [(0, 300), (300, 600), (600, 900), (900, 1200), (1200, 1500)]
