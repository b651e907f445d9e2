"""What is known of a process, against events of it and against events that are wrong on purpose."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("pythia8mc")

from root_gnn.simulation.control import Check, control
from root_gnn.simulation.process import all_processes, find_process
from root_gnn.simulation.sherpa.shipped import shipped_file

pytestmark = pytest.mark.pythia
QUICK = {"mpi": "off"}


def test_pulls() -> None:
    assert Check("x", 1.2, 1.0, 0.1).pull == pytest.approx(2.0)
    assert Check("x", 1.2, 1.0, 0.1).holds and not Check("x", 1.5, 1.0, 0.1).holds
    assert (
        Check("x", 1.0, 1.0, 0.0).pull is None
        and Check("x", 1.0, 1.0, 0.0).holds
        and not Check("x", 0.99, 1.0, 0.0).holds
    )


@pytest.mark.parametrize(
    ("name", "params"),
    [
        ("FCNC", {}),
        ("STOP", {"decay": "bottom", "mstop": "500"}),
        ("HH4b", {"spin": "0", "mass": "600"}),
        ("Wprime", {"decay": "WZ"}),
    ],
)
def test_a_process_passes_its_checks(name: str, params: dict[str, str]) -> None:
    found = control(find_process(name), events=100, seed=3, params={**QUICK, **params})
    assert found.n_event == 100 and found.n_failed == 0 and found.cross_section.error > 0
    assert not [check for check in found.checks if not check.holds]
    assert {"events with the charge of two protons", "events with the energy of the beams"} <= {
        check.quantity for check in found.checks
    }
    assert all(np.isfinite(values).all() for values in found.spectra.values())


@pytest.mark.parametrize("name", ["tHjb", "ttW", "ttyy", "ttt"])
def test_shipped_events_pass_their_checks(no_sherpa: None, name: str) -> None:
    found = control(find_process(name), events=60, seed=3, params=QUICK)
    assert found.n_event == 60 and found.n_failed == 0
    assert not [check for check in found.checks if not check.holds]
    exact = {
        "tHjb": "events with 1 H",
        "ttW": "events with 1 W",
        "ttyy": "events with 2 photons above 20 GeV",
        "ttt": "events with 1 more t of one charge than of the other",
    }
    assert exact[name] in {check.quantity for check in found.checks if check.pull is None}


@pytest.mark.slow
@pytest.mark.parametrize("name", ["tHjb", "tW", "ttW", "ttZ", "ttyy", "ttt", "tttt"])
def test_all_shipped_events_pass_their_checks(no_sherpa: None, name: str) -> None:
    found = control(find_process(name), events=2500, seed=4, params=QUICK)
    assert found.n_event == 2500 and found.n_failed == 0
    assert not [check for check in found.checks if not check.holds]
    pulls = [check.pull for check in found.checks if check.pull is not None]
    assert len(pulls) >= 5 and sum(pull**2 for pull in pulls) < 3.0 * len(pulls)


def test_wrong_hard_events_are_seen(no_sherpa: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("root_gnn.simulation.hard_file.shipped_file", lambda name: shipped_file("ttZ"))
    wrong = {
        check.quantity
        for check in control(find_process("ttyy"), events=40, seed=3, params=QUICK).checks
        if not check.holds
    }
    assert wrong == {"events with 0 Z", "events with 2 photons above 20 GeV"}


def test_what_is_wrong_is_seen() -> None:
    ttbar = find_process("ttbar")
    one_way = replace(
        ttbar, settings=(*ttbar.settings, "24:onMode=off", "24:onPosIfAny=11 13", "24:onNegIfAny=1 2 3 4 5")
    )
    wrong = {check.quantity for check in control(one_way, events=100, seed=3, params=QUICK).checks if not check.holds}
    assert wrong >= {"share of positive e, mu from W", "W to tau nu", "W to e nu"} and "t to W b" not in wrong
    higgs = replace(find_process("ZH"), control=find_process("ttH").control)
    wrong = {check.quantity for check in control(higgs, events=40, seed=3, params=QUICK).checks if not check.holds}
    assert wrong == {"events with 2 t", "events with 0 Z"}


def test_every_process_has_known_numbers() -> None:
    from root_gnn.simulation.control import _made

    assert [process.name for process in all_processes() if _made(process, {}) is None] == ["diboson"]
