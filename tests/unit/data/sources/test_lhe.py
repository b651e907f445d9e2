"""The Les Houches source: particles and weights as an independent parser reads them, and what it refuses."""

from __future__ import annotations

import gzip
import os
import sys
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pytest
import vector

from root_gnn.data.reading.read import read as records_of
from root_gnn.data.sources.lhe import Config
from root_gnn.data.spec.spec import load_spec
from root_gnn.errors import InputError, MissingExtraError

PARTICLE = (
    "pdgId",
    "status",
    "mother1",
    "mother2",
    "color1",
    "color2",
    "px",
    "py",
    "pz",
    "energy",
    "mass",
    "lifetime",
    "spin",
)
INIT = "<init>\n2212 2212 6.5e3 6.5e3 0 0 247000 247000 -4 2\n1.5 0.1 1.5 1\n2.0 0.1 2.0 2\n</init>\n"
LINES = ["21 -1 0 0 501 502 0 0 +30 30 0 0 9", "21 -1 0 0 502 501 0 0 -30 30 0 0 9", "25 1 1 2 0 0 0 0 0 60 60 0 0"]


def event(n: int, *, lines: list[str] | None = None, announced: int | None = None, tail: str = "") -> str:
    lines = [*LINES[:2], LINES[2].replace("60 60", f"{60 + n} 60")] if lines is None else lines
    count = len(lines) if announced is None else announced
    body = "\n".join((f"{count} {1 + n % 2} {0.5 * n} 91.2 0.0078 0.118", *lines))
    return f"<event>\n{body}\n{tail}</event>\n"


def lhe(*events: str, head: str = "", version: str = "3.0") -> str:
    return f'<LesHouchesEvents version="{version}">\n{head}{INIT}{"".join(events)}</LesHouchesEvents>\n'


def write(folder: Path, text: str | bytes, name: str = "file.lhe") -> Path:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def read(path: Path, *names: str, start: int = 0, stop: int | None = None) -> dict[str, list[Any]]:
    with Config().open(path) as source:
        stop = source.n_entry if stop is None else stop
        return {name: array.tolist() for name, array in source.read(names, start, stop).items()}


def rows_of(path: Path) -> list[list[list[float]]]:
    """The numbers of the particle lines of each event, found without any XML."""
    with gzip.open(path, "rt") as stream:
        texts = stream.read().split("<event>\n")[1:]
    lines = [text.split("\n") for text in texts]
    return [
        [[float(word) for word in line.split()] for line in event[1 : 1 + int(event[0].split()[0])]] for event in lines
    ]


@pytest.mark.parametrize(("name", "cross_section"), [("pp2tt_run01", 503.647), ("pp2zz_run01", 0.0022837)])
def test_real_files(name: str, cross_section: float) -> None:
    folder = os.environ.get("ROOT_GNN_REAL_DATA")
    if not folder:
        pytest.skip("ROOT_GNN_REAL_DATA does not name the folder of real files")
    path = Path(folder) / "lhe" / f"{name}.lhe.gz"
    expected = rows_of(path)
    with Config().open(path) as source:
        assert source.n_entry == len(expected) == 100
        arrays = source.read((*PARTICLE, "weight", "weights.3", "scale", "alphas_qcd", "process_id"), 0, 100)
        assert source.metadata() == {"cross_section": pytest.approx(cross_section)}
        assert source.type_of("px") == "var * float64"
        assert len([branch for branch in source.branches if branch.startswith("weights.")]) == 145
        last = source.read(("px",), 97, 100)["px"]
    ours = np.stack([np.asarray(ak.flatten(arrays[column]), dtype=np.float64) for column in PARTICLE], axis=1)
    np.testing.assert_array_equal(ours, np.concatenate([np.array(rows) for rows in expected]))
    assert ak.num(arrays["px"]).tolist() == [len(rows) for rows in expected]
    assert last.tolist() == arrays["px"][97:].tolist()
    np.testing.assert_allclose(arrays["weight"], cross_section, rtol=1e-5)
    assert (np.asarray(arrays["weights.3"]) > 0).all()
    for event, rows in zip(arrays["px"].tolist(), expected, strict=True):  # what goes in comes out
        final = [px for px, row in zip(event, rows, strict=True) if row[1] == 1]
        assert sum(final) == pytest.approx(0, abs=1e-5)


@pytest.mark.parametrize("version", ["1.0", "2.0", "3.0"])
@pytest.mark.parametrize("zipped", [False, True])
def test_versions(tmp_path: Path, version: str, zipped: bool) -> None:
    text = lhe(*map(event, range(7)), version=version, head="<!--\nmade by hand & <by> nobody\n-->\n").encode()
    path = write(tmp_path, gzip.compress(text) if zipped else text, "file.lhe.gz" if zipped else "file.lhe")
    assert read(path, "weight", "process_id", "alphas_qed", start=2, stop=5) == {
        "weight": [1.0, 1.5, 2.0],
        "process_id": [1, 2, 1],
        "alphas_qed": [0.0078] * 3,
    }
    assert read(path, "energy", "pdgId", stop=2) == {
        "energy": [[30, 30, 60], [30, 30, 61]],
        "pdgId": [[21, 21, 25]] * 2,
    }
    with Config().open(path) as source:
        assert source.metadata() == {"cross_section": 3.5}
        pieces = [source.read(("weight",), start, start + 1)["weight"].tolist() for start in (6, 0, 3)]
        assert pieces == [[3.0], [0.0], [1.5]]
        assert source.read(("px",), 4, 4)["px"].tolist() == []
        assert {name: str(array.type.content) for name, array in source.read(source.branches, 0, 7).items()} == {
            name: source.type_of(name) for name in source.branches
        }


def test_weights_by_name(tmp_path: Path) -> None:
    weights = '<rwgt>\n<wgt id="muR=2">1.5</wgt>\n<wgt id="b">-2</wgt>\n</rwgt>\n'
    path = write(tmp_path, lhe(event(0, tail=weights), event(1, tail=weights)))
    assert read(path, "weights.muR=2", "weights.b") == {"weights.muR=2": [1.5, 1.5], "weights.b": [-2.0, -2.0]}
    named = "<weight id='one'>x</weight>\n<weight id='two'>y</weight>\n"
    header = f"<header>\nrun card: 5 < 6 & so on\n<initrwgt>\n{named}</initrwgt>\n"
    path = write(tmp_path, lhe(event(0, tail="<weights> 3 4 </weights>\n"), head=header + "</header>\n"))
    assert read(path, "weights.one", "weights.two") == {"weights.one": [3.0], "weights.two": [4.0]}
    path = write(tmp_path, lhe(event(0, tail=weights), event(1)))
    with pytest.raises(InputError, match=r"event 1 has no weight b, which the first event has"):
        read(path, "weights.b")


def test_no_events(tmp_path: Path) -> None:
    assert read(write(tmp_path, lhe()), "px", "weight") == {"px": [], "weight": []}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (lhe(event(0), event(1), event(2))[:-60], r"event 2 \(from 0 on\) has no end; the file is cut short"),
        (lhe(event(0)).replace("</LesHouchesEvents>", ""), "no closing </LesHouchesEvents> after the 1 events"),
        (lhe(event(0), event(1)).replace("</event>", "", 1), r"event 0 \(from 0 on\) has no end; the file is damaged"),
        (
            lhe(event(0), event(1), event(2, lines=["21 -1 0 0 5"])),
            r"event 2 \(from 0 on\) is not as the format wants it",
        ),
        (
            lhe(event(0), event(1, lines=[LINES[0].replace("30", "3O")])),
            r"event 1 .*ValueError: could not convert string to float: '\+3O'",
        ),
        (lhe(event(0), event(1, announced=5)), r"event 1 .*5 particles announced, 3 present"),
        (lhe(event(0), event(1, tail="<rwgt>"), event(2)), r"event 1 .*no XML"),
        (lhe(event(0)).replace("-4 2", "-4"), "the <init> block"),
        (lhe(event(0)).replace("init>", "outit>"), "the <init> block"),
        (gzip.compress(lhe(*map(event, range(500))).encode())[:-300], r"cannot be read after event \d+ .*cut short"),
        ("HepMC::Version 3\n", "LHE file was expected; it is HepMC"),
        ("", "the file is empty"),
    ],
)
def test_refusals(tmp_path: Path, text: str | bytes, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read(write(tmp_path, text), "px")


def test_unknown_branch(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"Les Houches events have no pz2 here; did you mean pz"):
        read(write(tmp_path, lhe(event(0))), "pz2")


def test_without_pylhe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pylhe", None)
    with pytest.raises(MissingExtraError, match=r"root_gnn\[io\]"):
        Config.found_in(write(tmp_path, lhe(event(0))))


def test_found(tmp_path: Path) -> None:
    assert Config.found_in(write(tmp_path, '<?xml version="1.0"?>\n' + lhe(event(0)))) == [Config()]
    assert Config.found_in(write(tmp_path, "<!-- by hand -->\n" + lhe(event(0)))) == [Config()]


@pytest.mark.parametrize(
    ("name", "nodes"), [("pp2tt_run01", {"heavy": 200}), ("pp2zz_run01", {"parton": 200, "neutrino": 200})]
)
def test_partons(name: str, nodes: dict[str, int]) -> None:
    folder = os.environ.get("ROOT_GNN_REAL_DATA")
    if not folder:
        pytest.skip("ROOT_GNN_REAL_DATA does not name the folder of real files")
    path = Path(folder) / "lhe" / f"{name}.lhe.gz"
    spec = load_spec("lhe_partons")
    records = records_of(path, spec)
    assert {key: int(ak.sum(ak.num(records[key]))) for key in spec.nodes} == dict.fromkeys(spec.nodes, 0) | nodes
    expected = np.array([row for event in rows_of(path) for row in event if row[1] == 1])
    momentum: Any = vector.array(
        {"px": expected[:, 6], "py": expected[:, 7], "pz": expected[:, 8], "E": expected[:, 9]}
    )
    ours = ak.flatten(ak.concatenate([records[key] for key in spec.nodes], axis=1))
    order, theirs = np.argsort(np.asarray(ours["energy"]), kind="stable"), np.argsort(momentum.E, kind="stable")
    for feature in ("pt", "eta", "energy"):
        np.testing.assert_allclose(np.asarray(ours[feature])[order], getattr(momentum, feature)[theirs], rtol=1e-5)


def test_every_final_particle_is_one_node(tmp_path: Path) -> None:
    signed = [sign * n for n in (11, 12, 13, 14, 15, 16, 24, 34, 1000022) for sign in (1, -1)]
    final = [*range(-9, 0), *range(1, 10), *signed, 21, 22, 23, 25, 32]
    lines = [f"{number} 1 1 2 0 0 1 0 0 {2000 + place} 0 0 9" for place, number in enumerate(final)]
    path = write(tmp_path, lhe(event(0, lines=[*LINES, *lines])))
    spec = load_spec("lhe_partons")
    records = records_of(path, spec)
    energies = sorted(energy for key in spec.nodes for energy in records[key]["energy"][0].tolist())
    assert energies == [60.0, *range(2000, 2000 + len(final))]
    assert records["electron"]["charge"].tolist() == [[-1.0, 1.0]]


def test_weights_by_position_and_exponents_of_fortran(tmp_path: Path) -> None:
    lines = [line.replace("30 30", "0.30D+02 3.0d1") for line in LINES[:2]] + LINES[2:]
    tails = ("<weights>\n 0.15E+01 -0.14D+01\n</weights>\n", "<weights> 2 3.5 </weights>\n")
    path = write(tmp_path, lhe(*(event(n, lines=lines, tail=tail) for n, tail in enumerate(tails))))
    found = read(path, "weights.0", "weights.1", "pz", "energy")
    assert (found["weights.0"], found["weights.1"]) == ([1.5, 2.0], [-1.4, 3.5])
    assert found["energy"][0][:2] == [30.0, 30.0] and [abs(pz) for pz in found["pz"][0]] == [30.0, 30.0, 0.0]
    names = '<header>\n<initrwgt>\n<weight id="c1d+2">x</weight>\n</initrwgt>\n</header>\n'
    tail = '<rwgt><wgt id="c1d+2"> 0.25D+01 </wgt></rwgt>\n'  # the names of weights are no numbers
    named = write(tmp_path, lhe(event(0, tail=tail), head=names), "named.lhe")
    assert read(named, "weights.c1d+2") == {"weights.c1d+2": [2.5]}
