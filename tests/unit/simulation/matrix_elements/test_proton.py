"""Tables of parton densities and of the strong coupling."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("pythia8mc")

from root_gnn.simulation.matrix_elements.proton import ANTIQUARKS, GLUON, PROTON, QUARKS, Proton
from root_gnn.simulation.pythia import pythia8

pytestmark = pytest.mark.pythia


@pytest.fixture(scope="module")
def proton() -> Proton:
    return Proton(1e-4, (1e3, 1e6))


def test_tables_are_pythias_between_their_points(proton: Proton) -> None:
    pythia = pythia8().Pythia("", False)
    pythia.readString("Print:quiet=on")
    source = pythia.getPDFPtr(PROTON)
    x, scale = np.array([3.3e-4, 0.0123, 0.37]), np.full(3, 54_321.0)
    for code in (GLUON, 2, -2, 5):
        expected = [source.xf(code, *point) for point in zip(x, scale, strict=True)]
        np.testing.assert_allclose(proton.density(code, x, scale), expected, rtol=2e-3, atol=1e-5)


def test_the_partons_carry_the_momentum_of_the_proton() -> None:
    proton, x = Proton(1e-7, (1e3, 1e6)), np.geomspace(1e-7, 1.0, 4001)
    total = sum(proton.density(code, x, np.full_like(x, 1e4)) for code in (GLUON, *QUARKS, *ANTIQUARKS))
    assert np.trapezoid(total * x, np.log(x)) == pytest.approx(1.0, abs=0.01)  # photons are left out


def test_the_coupling_is_0_13_at_the_z_and_runs_at_one_loop(proton: Proton) -> None:
    scale = np.array([91.188**2, 4.0 * 91.188**2])  # below the top threshold: five flavours
    low, high = proton.coupling(scale)
    assert low == pytest.approx(0.13, rel=1e-3)
    slope = (33 - 2 * 5) / (12 * np.pi)
    threshold = 171.0**2
    expected = 1 / 0.13 + slope * np.log(threshold / scale[0]) + (33 - 12) / (12 * np.pi) * np.log(scale[1] / threshold)
    assert 1 / high == pytest.approx(expected, rel=2e-3)
