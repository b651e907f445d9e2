"""The list of processes, and that a process of one's own is one file: listed, simulated, controlled and documented."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import uproot

from root_gnn.errors import InputError
from root_gnn.pages.control import control_page
from root_gnn.simulation.control import control
from root_gnn.simulation.parameters import settings_of
from root_gnn.simulation.process import (
    all_processes,
    describe_processes,
    documentation_rows,
    external,
    find_process,
    processes_by_name,
)
from root_gnn.simulation.simulate import simulate

PAGE = Path(__file__).parents[3] / "docs" / "simulation.md"
QUICK = {"mpi": "off"}
EVENT_NAMES = [
    "ggF",
    "VBF",
    "WH",
    "ZH",
    "ttH",
    "bbH",
    "tHjb",
    "ttbar",
    "singletop_t",
    "singletop_s",
    "tW",
    "ttW",
    "ttZ",
    "ttyy",
    "ttt",
    "tttt",
    "FCNC",
    "STOP",
    "ttH_CPodd",
    "ttH_CPeven",
    "ttH_CP",
    "Zjets",
    "Wjets",
    "diboson",
    "HH4b",
    "multijet",
    "Wprime",
    "Zprime",
    "tttt_scalar",
]
SHERPA_NAMES = ["tHjb", "tW", "ttW", "ttZ", "ttyy", "ttt", "tttt"]
JET_NAMES = ["QCD", "Hbb", "Hcc", "Hgg", "H4q", "Hqql", "Zqq", "Wqq", "Tbqq", "Tbl"]
OWN = '''"""A photon with a jet."""

from root_gnn.simulation.process import ControlFigures, Process

PROCESSES = (
    Process(
        "photonjet",
        901,
        "photon with a jet",
        ("PromptPhoton:qg2qgamma=on", "PromptPhoton:qqbar2ggamma=on", "PhaseSpace:pTHatMin=50"),
        caveat="leading order",
        control=ControlFigures(made={}, is_symmetric=False),
        row=("`PromptPhoton:qg2qgamma`", "", "", "hard photons only"),
    ),
)
'''


@pytest.fixture
def own(add_plugin: Callable[[str, str, str], None]) -> None:
    add_plugin("simulation.processes", "photonjet", OWN)


@pytest.mark.pythia
def test_a_process_of_ones_own_is_one_file(own: None, tmp_path: Path) -> None:
    process = find_process("photonjet")
    assert any(line.startswith("photonjet    photon with a jet (leading order)") for line in describe_processes())
    assert "| `photonjet` | `PromptPhoton:qg2qgamma` |  |  | hard photons only |" in documentation_rows("events")
    assert external("photonjet").id == 901
    simulate(["photonjet"], events=5, out=tmp_path, seed=1, params=QUICK)
    with uproot.open(tmp_path / "photonjet.root") as file:
        assert set(file["Events"]["process"].array()) == {901}
    checks = {check.quantity: check.observed for check in control(process, events=20, seed=1, params=QUICK).checks}
    assert checks["events with 0 t"] == checks["events with the charge of two protons"] == 1.0
    control_page(["photonjet"], events=20, out=tmp_path, level="events", seed=1, params=QUICK)
    assert "photonjet" in (tmp_path / "control.html").read_text(encoding="utf-8")


def test_two_processes_with_one_number_are_refused(add_plugin: Callable[[str, str, str], None]) -> None:
    add_plugin("simulation.processes", "photonjet", OWN.replace("901", "8"))
    with pytest.raises(InputError, match=r"photonjet .* and ttbar .*same id 8"):
        all_processes()


def test_processes_are_in_the_order_of_their_numbers() -> None:
    numbers = [process.id for process in all_processes()]
    assert numbers == sorted(set(numbers)) and list(processes_by_name()) == [p.name for p in all_processes()]


def test_every_process_has_its_kind_of_row() -> None:
    cells = {"events": 4, "sherpa": 4, "jets": 2}
    assert {process.name for process in all_processes() if len(process.row) != cells[process.kind]} == set()


@pytest.mark.skipif(not PAGE.is_file(), reason="the documentation is not installed beside the tests")
@pytest.mark.parametrize("kind", ["events", "sherpa", "jets"])
def test_the_documentation_has_the_rows_of_the_processes(kind: str) -> None:
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    rows = documentation_rows(kind)
    first = lines.index(rows[0])
    assert lines[first : first + len(rows)] == rows
    assert not lines[first + len(rows)].startswith("|")


def test_every_promised_name_is_known() -> None:
    assert set(processes_by_name()) == {*EVENT_NAMES, *JET_NAMES}


def test_numbers_are_unique_and_fit_the_branch() -> None:
    numbers = [process.id for process in all_processes()]
    assert len(set(numbers)) == len(numbers)
    assert min(numbers) > 0 and max(numbers) < 128


def test_one_line_each() -> None:
    lines = describe_processes()
    assert len(lines) == len(all_processes())
    assert all("\n" not in line and line.split()[0] in processes_by_name() for line in lines)


@pytest.mark.parametrize("name", SHERPA_NAMES)
def test_processes_of_sherpa_name_it(name: str) -> None:
    process = find_process(name)
    assert process.card is not None and "Sherpa" in process.caveat
    assert settings_of(process, {}, from_file=False)[0][-1] == "Beams:frameType=4"
    with pytest.raises(InputError, match="expected one of HH4b"):
        find_process(name, "jets")


def test_levels_and_typos_are_refused() -> None:
    with pytest.raises(InputError, match="add --level jets"):
        find_process("Tbqq")
    with pytest.raises(InputError, match="expected one of HH4b, multijet, QCD, Hbb"):
        find_process("ttH", "jets")
    assert find_process("HH4b", "jets") is find_process("HH4b", "events")
    with pytest.raises(InputError, match="did you mean ttbar"):
        find_process("tbar")


def test_names_of_external_files_keep_or_get_a_number() -> None:
    assert external("ttbar").id == processes_by_name()["ttbar"].id
    assert external("tW").id == processes_by_name()["tW"].id and external("tW").card is None
    assert 1000 <= external("my_sample").id < 32768
    assert external("my_sample").id == external("my_sample").id != external("my_sample2").id
