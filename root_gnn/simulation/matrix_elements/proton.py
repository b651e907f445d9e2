"""Parton densities and the strong coupling of Pythia, tabulated for arrays.

Densities: the default set of Pythia, NNPDF2.3 QCD+QED LO (Ball et al. 2013, arXiv:1308.0598). Coupling: one loop, 0.130
at the mass of the Z.
"""

from __future__ import annotations

import numpy as np
from scipy.interpolate import CubicSpline, RectBivariateSpline

from root_gnn.simulation.pythia import pythia8
from root_gnn.typing import Floats

GLUON, QUARKS, ANTIQUARKS = 21, (1, 2, 3, 4, 5), (-1, -2, -3, -4, -5)
PROTON = 2212
_N_X, _N_SCALE = 160, 24
_ALPHA_AT_Z, _ONE_LOOP, _N_FLAVOUR = 0.13, 1, 6


class Proton:
    """Densities at fractions from `least_x` to 1 and the coupling, at squared scales between `scales` (GeV^2)."""

    def __init__(self, least_x: float, scales: tuple[float, float]) -> None:
        pythia = pythia8().Pythia("", False)
        pythia.readString("Print:quiet=on")
        source = pythia.getPDFPtr(PROTON)
        log_x = np.linspace(np.log(least_x), 0.0, _N_X)
        log_scale = np.linspace(np.log(scales[0]), np.log(scales[1]), _N_SCALE)
        self._densities = {}
        for code in (GLUON, *QUARKS, *ANTIQUARKS):
            values = [[source.xf(code, x, scale) for scale in np.exp(log_scale)] for x in np.exp(log_x)]
            self._densities[code] = RectBivariateSpline(log_x, log_scale, np.array(values), s=0)
        coupling = pythia8().AlphaStrong()
        coupling.init(_ALPHA_AT_Z, _ONE_LOOP, _N_FLAVOUR)
        self._coupling = CubicSpline(log_scale, [coupling.alphaS(scale) for scale in np.exp(log_scale)])

    def density(self, code: int, x: Floats, scale: Floats) -> Floats:
        """`x f(x)` of the parton `code` at fractions `x (n,)` and squared scales `scale (n,)`; never negative."""
        values: Floats = self._densities[code].ev(np.log(x), np.log(scale))
        return np.maximum(values, 0.0)

    def coupling(self, scale: Floats) -> Floats:
        """alpha_s at squared scales `scale (n,)` in GeV^2."""
        values: Floats = self._coupling(np.log(scale))
        return values
