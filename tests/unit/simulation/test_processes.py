"""The table of processes: complete, honest, and accepted by Pythia."""

from __future__ import annotations

import numpy as np
import pytest

from root_gnn.errors import InputError
from root_gnn.simulation.parameters import check_params, hard_events_of, settings_of, stop_of
from root_gnn.simulation.process import all_processes, describe_processes, external, find_process, processes_by_name
from root_gnn.simulation.sherpa.shipped import shipped_file

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
def test_what_sherpa_makes_says_so(name: str) -> None:
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


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"mpii": "on"}, "did you mean mpi"),
        ({"mpi": "yes"}, "on or off"),
        ({"ecm": "fast"}, "positive number"),
        ({"ecm": "-1"}, "positive number"),
        ({"ecm": "20"}, "at least 500"),
        ({"mstop": "700"}, "belongs to STOP"),
        ({"ecm": "nan"}, "positive"),
        ({"cp_angle": "200"}, "0 .CP-even. to 180"),
        ({"cp_angle": "odd"}, "0 .CP-even. to 180"),
        ({"cp_angle": "30"}, "belongs to ttH_CP"),
    ],
)
def test_bad_parameters(params: dict[str, str], message: str) -> None:
    with pytest.raises(InputError, match=message):
        check_params(params, [find_process("WH")], from_file=False)


def test_stop_must_be_able_to_decay() -> None:
    with pytest.raises(InputError, match="heavier than neutralino and top"):
        check_params({"mstop": "200"}, [find_process("STOP")], from_file=False)
    check_params({"mstop": "800", "mlsp": "50"}, [find_process("STOP")], from_file=False)


def test_beam_energy_belongs_to_the_file() -> None:
    with pytest.raises(InputError, match="those of the file"):
        check_params({"ecm": "13600"}, [external("tW")], from_file=True)


@pytest.mark.pythia
@pytest.mark.parametrize("name", sorted(processes_by_name()))
def test_pythia_accepts_every_setting_and_makes_the_process(name: str) -> None:
    from root_gnn.simulation.matrix_elements.source import hard_source
    from root_gnn.simulation.pythia import Generator

    process = processes_by_name()[name]
    for settings in settings_of(process, {"mpi": "off"}, from_file=False):
        hard = hard_events_of(process, {})
        source = hard_source(hard, np.random.default_rng(1)) if hard else None
        generator = Generator(
            settings,
            seed=1,
            slha=stop_of(process, {}).slha() if process.needs_slha else None,
            source=source,
            lhe=shipped_file(process.name) if process.card else None,
        )
        record = generator.batch(5)
        n_higgs = (record.is_last_copy & (record.pdg == 25)).sum() / record.n_event
        assert n_higgs == {"HH4b": 2}.get(
            name, name in ("ggF", "VBF", "WH", "ZH", "bbH", "FCNC", "tHjb") or name.startswith(("H", "ttH"))
        )
        n_top = (record.is_last_copy & (record.kind == 6)).sum() / record.n_event
        in_pairs = (
            "ttH",
            "ttH_CPodd",
            "ttH_CPeven",
            "ttH_CP",
            "ttbar",
            "FCNC",
            "STOP",
            "Tbqq",
            "Tbl",
            "Zprime",
            "ttW",
            "ttZ",
            "ttyy",
        )
        others = {"ttt": 3, "tttt": 4, "tttt_scalar": 4}
        assert n_top == (
            2 if name in in_pairs else others.get(name, name.startswith(("singletop", "Wprime", "tHjb", "tW")))
        )
        assert generator.cross_section().value > 0
