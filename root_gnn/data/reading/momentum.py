"""Four-momenta of objects as pt, eta, phi and energy, whatever they are given by."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from root_gnn.kinematics.angles import wrap_phi
from root_gnn.kinematics.fourvectors import energy_of, to_cylindrical
from root_gnn.typing import AnyFloats


def momentum_features(columns: dict[str, NDArray[Any]], n_object: int) -> dict[str, AnyFloats]:
    """The columns, float32, with `pt eta phi energy` instead of whatever the momentum was given by.

    Phi wrapped into [-pi, pi].

    What is derived is computed in float64; what the file holds in float32 passes unchanged.
    """
    given = {name: values for name, values in columns.items() if name not in ("px", "py", "pz", "mass")}
    if "px" in columns:
        momentum = [_double(columns[name]) if name in columns else np.zeros(n_object) for name in ("px", "py", "pz")]
        given["pt"], given["eta"], given["phi"] = to_cylindrical(*momentum)
    for name in ("pt", "eta", "phi"):
        given.setdefault(name, np.zeros(n_object, dtype=np.float32))
    phi = given["phi"]
    if phi.size and float(max(phi.max(), -phi.min())) > math.pi:
        given["phi"] = wrap_phi(_double(phi))
    if "energy" not in given:
        mass = _double(columns["mass"]) if "mass" in columns else np.zeros(n_object)
        with np.errstate(over="ignore"):
            given["energy"] = energy_of(_double(given["pt"]), _double(given["eta"]), mass)
    with np.errstate(over="ignore"):
        return {name: values.astype(np.float32, copy=False) for name, values in given.items()}


def _double(numbers: NDArray[Any]) -> AnyFloats:
    return numbers.astype(np.float64, copy=False)
