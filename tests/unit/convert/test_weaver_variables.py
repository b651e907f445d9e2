"""Inputs of weaver: value -> clip((value - centre) * scale, low, high)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from root_gnn.convert.converted import Notes
from root_gnn.convert.weaver_variables import Variable, WeaverParameters
from root_gnn.errors import InputError


def variable(row: Any, notes: Notes | None = None, **preprocess: Any) -> Variable:
    (only,) = WeaverParameters(preprocess, notes or Notes()).variables({"vars": [row]})
    return only


def test_limits_of_the_value_clip_where_those_of_the_standardised_value_do() -> None:
    only, values = variable(["x", 2.0, 0.5, -1.0, 3.0]), np.linspace(-5, 15, 41)
    assert only.limits is not None
    expected = np.clip((values - 2.0) * 0.5, -1.0, 3.0)
    np.testing.assert_allclose((np.clip(values, *only.limits) - 2.0) * 0.5, expected)


def test_written_parameters_win_over_the_row_and_the_default_limits_are_none() -> None:
    assert variable(["x", 1.0, 2.0], params={"x": {"center": 3.0}}) == Variable("x", 3.0, 2.0, None)
    assert variable("x") == Variable("x", None, 1.0, None)
    assert variable("x", method="auto").centre == "auto"


def test_limits_without_a_number_for_the_centre_are_noted() -> None:
    notes = Notes()
    assert variable(["x", "auto", 1.0, -1.0, 1.0], notes).limits is None
    assert notes.lost[0].startswith("inputs, x: cut between -1 and 1")


def test_a_parameter_that_is_no_number_is_refused() -> None:
    with pytest.raises(InputError, match="inputs, x, scale: a number was expected, not 'much'"):
        variable(["x", 0.0, "much"])
