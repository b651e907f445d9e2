"""The SUSY spectrum of a stop."""

from __future__ import annotations

import pytest

from root_gnn.errors import InputError
from root_gnn.simulation.parameters import stop_of
from root_gnn.simulation.process import find_process
from root_gnn.simulation.spectrum import DECAYS, Stop


def test_spectrum_of_each_decay() -> None:
    assert stop_of(find_process("STOP"), {}) == Stop()
    text = Stop(700.0, 50.0, decay="bottom").slha()
    assert "1000024    3.750000E+02" in text and "1000024    5\n" in text and "1000022    24" in text
    assert "1000024" not in Stop(decay="charm").slha() and "1000022    4\n" in Stop(decay="charm").slha()


@pytest.mark.parametrize("decay", DECAYS)
def test_a_stop_decays_down_to_its_threshold(decay: str) -> None:
    products = {"top": 100.0 + 173.0, "bottom": 200.0 + 4.8, "charm": 100.0 + 1.5}[decay]
    Stop(products + 0.1, 100.0, 200.0, decay).check()
    with pytest.raises(InputError, match="must be heavier than"):
        Stop(products - 0.1, 100.0, 200.0, decay).check()


def test_the_chargino_is_halfway_by_default() -> None:
    assert Stop(700.0, 100.0).chargino_mass == 400.0 and Stop(700.0, 100.0, 150.0).chargino_mass == 150.0
