"""Values of a spec: bare texts, placeholders and what they print."""

from __future__ import annotations

import math
from typing import Any

import pytest

from root_gnn.config.loader import validate
from root_gnn.config.section import Section
from root_gnn.data.spec.value import UNITS, Alternatives, Condition, Single, Value, names_in
from root_gnn.errors import InputError


class Holder(Section):
    """A field of each kind."""

    single: Single = Value(branch="x")
    several: Alternatives = (Value(branch="x"),)
    condition: Condition = Value(expression="x > 0")


def test_bare_texts_are_branches_or_conditions() -> None:
    holder = validate(Holder, {"single": "pt", "several": ["a", {"branch": "b"}], "condition": "pt > 25"})
    assert holder.single == Value(branch="pt")
    assert holder.several == (Value(branch="a"), Value(branch="b"))
    assert holder.condition == Value(expression="pt > 25")


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({}, "one of the two"),
        ({"branch": "a", "expression": "b"}, "one of the two"),
        ({"expression": "pt >"}, "a value was expected"),
        ({"branch": "pt_%SYS%", "otherwise": "pt"}, "falls back on its nominal form by itself"),
    ],
)
def test_values_that_make_no_sense(value: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        validate(Holder, {"single": value})


def test_a_variation_falls_back_on_the_nominal_branch() -> None:
    value = Value(branch="pt_%SYS%")
    varied = value.varied("up", "nominal")
    assert (varied.branch, varied.otherwise) == ("pt_up", "pt_nominal")
    assert varied.fallback() == Value(branch="pt_nominal")
    assert value.varied("nominal", "nominal") == Value(branch="pt_nominal")
    assert Value(branch="pt").varied("up", "nominal") == Value(branch="pt")


def test_slots_replace_their_placeholder_everywhere() -> None:
    value = Value(expression="e%SLOT% / cosh(eta%SLOT%)").at("3")
    assert value.text == "e3 / cosh(eta3)" and value.reads == ("e3", "eta3")
    assert names_in("a + b * a") == ("a", "b")


def test_text_and_units() -> None:
    assert str(Value(branch="score", item=-1, unit="GeV", above=0.5)) == "score[-1] GeV > 0.5"
    assert UNITS["deg"] == pytest.approx(math.pi / 180, rel=1e-15)


def test_a_number_behind_a_slot_is_added_in_branches_only() -> None:
    assert Value(branch="x.%SLOT%+2").at("3").branch == "x.5"
    assert Value(branch="x.%SLOT%+2").at("lead").branch == "x.lead+2"
    assert Value(expression="x%SLOT%+2").at("3").expression == "x3+2"
