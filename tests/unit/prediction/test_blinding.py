"""Blinding of scores."""

from __future__ import annotations

import numpy as np
import pytest

from root_gnn.errors import InputError
from root_gnn.prediction.blinding import Blinding


def test_scores_above_the_threshold_are_hidden() -> None:
    blinding = Blinding.parse("ZH > 0.8", ["WH", "ZH"])
    assert blinding == Blinding(1, 0.8)
    assert blinding.hides(np.array([[0.9, 0.1], [0.2, 0.8], [0.1, 0.9]])).tolist() == [False, False, True]


@pytest.mark.parametrize("text", ["ttH>0.5", "WH", "WH>2", "WH>high"])
def test_what_is_no_class_and_threshold_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="CLASS>THRESHOLD was expected"):
        Blinding.parse(text, ["WH", "ZH"])
