"""Inputs that are functions of the momenta."""

from __future__ import annotations

import ast

import pytest

from root_gnn.convert.formula import Formulas
from root_gnn.convert.momenta import Momenta

FORMULAS = {"pt": "np.sqrt(px**2 + py**2)", "pt2": "np.hypot(py, px)"}


@pytest.mark.parametrize(
    ("formula", "name"),
    [
        ("np.log(pt)", "log_pt"),
        ("np.log(pt2)", "log_pt"),
        ("np.log(e)", "log_energy"),
        ("np.log(pt / jet_pt)", "log_pt_rel"),
        ("np.hypot(deta, dphi)", "delta_r"),
        ("np.log(mass)", ""),
        ("np.hypot(px, py)", ""),
        ("charge", ""),
    ],
)
def test_the_input_of_the_networks_is_recognised(formula: str, name: str) -> None:
    momenta = Momenta(Formulas(FORMULAS), ("px", "py", "pz", "e"))
    assert momenta.made_inside(ast.parse(formula, mode="eval").body) == name
