"""Sections are frozen and strict."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from pydantic import ValidationError

from root_gnn.config.section import Section, Words
from root_gnn.data.spec.value import Value
from root_gnn.training.optim import OptimConfig


class Inner(Section):
    """A section within."""

    size: int = 1


class Outer(Section):
    """One field of each kind."""

    number: float = 1.0
    count: int = 1
    flag: bool = False
    path: Path = Path()
    words: Words = ()
    pair: tuple[int, int] = (1, 2)
    inner: Inner = Inner()


def test_what_yaml_can_write_is_accepted() -> None:
    section = Outer.model_validate({"number": 2, "path": "a/b", "words": "one", "pair": [3, 4], "inner": {"size": 5}})
    assert (section.number, section.path, section.words, section.pair) == (2.0, Path("a/b"), ("one",), (3, 4))
    assert section.inner.size == 5


@pytest.mark.parametrize(
    "values",
    [{"count": 1.0}, {"count": "1"}, {"count": True}, {"number": "1"}, {"flag": 1}, {"other": 1}, {"inner": {"s": 1}}],
)
def test_no_value_is_converted_and_no_key_unknown(values: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Outer.model_validate(values)


def test_sections_are_frozen() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Outer().count = 2  # type: ignore[misc]


@pytest.mark.parametrize("number", [math.inf, -math.inf, math.nan])
def test_numbers_are_finite(number: float) -> None:
    with pytest.raises(ValidationError, match="finite number"):
        Outer(number=number)
    with pytest.raises(ValidationError, match="finite number"):
        OptimConfig(lr=number)
    assert Value(branch="jet_pt", missing=(number,)).missing[0] is number  # what a file may hold can be named
