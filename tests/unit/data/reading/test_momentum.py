"""Four-momenta against the library vector."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import vector

from root_gnn.data.reading.momentum import momentum_features


def test_cartesian_and_cylindrical_momenta_are_the_same() -> None:
    generator = np.random.default_rng(4)
    px, py, pz = generator.normal(0, 30, (3, 50))
    expected: Any = vector.array({"px": px, "py": py, "pz": pz, "mass": np.full(50, 4.7)})
    given = momentum_features({"px": px, "py": py, "pz": pz, "mass": np.full(50, 4.7)}, 50)
    again = momentum_features({name: given[name] for name in ("pt", "eta", "phi")} | {"mass": np.full(50, 4.7)}, 50)
    for name in ("pt", "eta", "phi", "energy"):
        reference = getattr(expected, name)
        assert given[name].dtype == np.float32 and given[name] == pytest.approx(reference, rel=1e-5, abs=1e-5)
        assert again[name] == pytest.approx(reference, rel=1e-5, abs=1e-5)


def test_missing_parts_are_zero_and_angles_wrapped() -> None:
    features = momentum_features({"pt": np.array([3.0, 2.0]), "phi": np.array([6.0, -1.0])}, 2)
    assert features["eta"].tolist() == [0, 0] and features["energy"].tolist() == [3, 2]
    assert features["phi"].tolist() == pytest.approx([6.0 - 2 * np.pi, -1.0])
