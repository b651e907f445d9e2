"""Labels declared in four ways, and splits that a file tells."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from root_gnn.data.reading.read import read
from root_gnn.data.spec.label import Label
from root_gnn.data.spec.spec import Spec
from root_gnn.errors import InputError

WriteTree = Callable[..., Path]
SpecOf = Callable[..., Spec]


def test_labels_in_four_forms(spec_of: SpecOf, small: Path) -> None:
    forms: dict[str, dict[str, Any]] = {
        "branch": {"branch": "kind", "classes": {"a": 11, "b": 22}},
        "one_hot": {"one_hot": {"a": {"expression": "kind == 11"}, "b": {"expression": "kind == 22"}}},
        "expressions": {"expressions": {"a": "count(jet_pt) > 0", "b": "count(jet_pt) == 0"}},
    }
    for name, form in forms.items():
        assert read(small, spec_of(label=form)).label.tolist() == [0, 1, 0], name
    gap = {"expressions": {"a": "met < 15", "b": "met > 25"}}
    with pytest.raises(
        InputError, match=r"no condition of the label holds \(met < 15, met > 25\) in entry 1, 1 of the 3 read"
    ):
        read(small, spec_of(label=gap))
    assert read(small, spec_of(label={**gap, "other": "drop"})).entry.tolist() == [0, 2]
    with pytest.raises(InputError, match=r"more than one condition of the label holds \(.*\) in entry 2"):
        read(small, spec_of(label={"expressions": {"a": "met < 35", "b": "met > 25"}}))
    assert (
        "label" not in read(small, spec_of(label={"branch": "nothing", "classes": {"a": 1}, "optional": True})).fields
    )
    with pytest.raises(InputError, match="no branch nothing"):
        read(small, spec_of(label={"branch": "nothing", "classes": {"a": 1}}))


def test_a_split_that_the_file_tells(spec_of: SpecOf, small: Path) -> None:
    spec = spec_of(split={"branch": "kind", "train": 11, "validation": 22, "test": 33})
    assert read(small, spec).split.tolist() == [0, 1, 0]
    with pytest.raises(InputError, match=r"a value that is no split .* in entry 1"):
        read(small, spec_of(split={"branch": "kind", "train": 11}))


@pytest.mark.parametrize(
    ("value", "form"),
    [("sig", r"process == 'sig'"), ([1, 2], r"process in \(1, 2\)"), (["a", "b"], r"in \('a', 'b'\)")],
)
def test_classes_by_words_or_several_values_point_to_expressions(value: object, form: str) -> None:
    with pytest.raises(ValueError, match=rf'`expressions: {{signal: ".*{form}"}}`'):
        Label.model_validate({"branch": "process", "classes": {"signal": value, "background": 0}})
