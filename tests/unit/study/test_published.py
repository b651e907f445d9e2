"""What a study may say of published figures."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from root_gnn.study.published import Published


def test_ratios_are_positive_and_similarity_is_one_of_two() -> None:
    known = Published(source="A 1999", group="a, finetuned", cost_ratio={"WHvsZH": 0.5}, similarity="other")
    assert known.gain_smallest is None and known.cost_ratio["WHvsZH"] == 0.5
    for wrong in ({"cost_ratio": {"a": 0.0}}, {"break_even": -1.0}, {"similarity": "same"}, {"sauce": "x"}):
        with pytest.raises(ValidationError):
            Published.model_validate({"source": "A", "group": "g", **wrong})
