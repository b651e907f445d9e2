"""Parameters of processes: refused where they cannot be, and turned into settings."""

from __future__ import annotations

import pytest

from root_gnn.errors import InputError
from root_gnn.simulation.parameters import PARAMETERS, check_params, hard_events_of, jet_selection, settings_of
from root_gnn.simulation.process import all_processes, external, find_process


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


@pytest.mark.parametrize(
    ("name", "params", "message"),
    [
        ("Zprime", {"mass": "300"}, "Zprime must be heavier .* .347 GeV."),
        ("tttt_scalar", {"mass": "340"}, "347"),
        ("HH4b", {"mass": "250"}, "251"),
        ("Wprime", {"mass": "150", "decay": "WZ"}, "172.6"),
        ("Wprime", {"decay": "top"}, "tb or WZ"),
        ("STOP", {"decay": "tb"}, "top or bottom"),
        ("Zprime", {"decay": "tb"}, "belongs to STOP, Wprime"),
        ("STOP", {"decay": "charm", "mstop": "100"}, "neutralino and charm"),
        ("STOP", {"decay": "bottom", "mstop": "200", "mlsp": "150"}, "neutralino and W"),
        ("STOP", {"decay": "bottom", "mchargino": "599"}, "chargino and bottom"),
    ],
)
def test_masses_and_decays_that_cannot_be(name: str, params: dict[str, str], message: str) -> None:
    with pytest.raises(InputError, match=message):
        check_params(params, [find_process(name)], from_file=False)


def test_settings_follow_the_parameters() -> None:
    (settings,) = settings_of(find_process("Wprime"), {"mass": "900", "decay": "WZ"}, from_file=False)
    assert {"34:m0=900", "34:onIfAll=24 23", "34:mMin=450", "34:mMax=1350"} <= set(
        settings
    ) and "34:onIfAny=6" not in settings
    (settings,) = settings_of(find_process("HH4b"), {"spin": "0"}, from_file=False)
    assert {"35:m0=1500", "35:mWidth=15", "HiggsH2:coup2H1H1=1"} <= set(settings)


def test_every_parameter_of_a_process_is_described() -> None:
    assert {key for process in all_processes() for key in process.params} <= set(PARAMETERS)


def test_the_hard_process_leaves_room_for_the_jets() -> None:
    process = find_process("multijet")
    params = {"pt_min": "300", "pt_max": "400"}
    assert (jet_selection(process, params).min_pt, jet_selection(process, params).max_pt) == (300.0, 400.0)
    (settings,) = settings_of(process, params, from_file=False)
    assert "PhaseSpace:pTHatMin=252" in settings and "PhaseSpace:pTHatMax=520" in settings
    with pytest.raises(InputError, match="must be the smaller"):
        jet_selection(process, {"pt_min": "400", "pt_max": "400"})


def test_the_angle_of_the_coupling_is_a_parameter_of_one_process() -> None:
    mixed, odd = (hard_events_of(find_process(name), {"cp_angle": "30"}) for name in ("ttH_CP", "ttH_CPodd"))
    assert mixed is not None and mixed.cp_angle == 30.0
    assert odd is not None and odd.cp_angle == 90.0 and hard_events_of(find_process("ttH"), {}) is None
