"""The section `train` of a recipe: its ranges, and which way the monitored value is better."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from root_gnn.training.config import TrainConfig


@pytest.mark.parametrize(
    ("monitor", "mode"),
    [("val/loss", "min"), ("ssl/cosine", "min"), ("ssl/alignment", "min"), ("val/auc", "max"), ("probe/auc", "max")],
)
def test_losses_are_to_be_small_and_scores_large(monitor: str, mode: str) -> None:
    assert TrainConfig(monitor=monitor).monitor_mode == mode


@pytest.mark.parametrize(
    "wrong",
    [
        {"max_epochs": 0},
        {"batch_size": -1},
        {"precision": 16},
        {"devices": 0},
        {"strategy": "other"},
        {"epochs": 3},
        {"keep_epochs": (0,)},
    ],
)
def test_values_out_of_range_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        TrainConfig(**wrong)


def test_the_parts_of_a_step_divide_its_batch() -> None:
    assert TrainConfig(batch_size=12, accumulate=3).accumulate == 3
    with pytest.raises(ValidationError, match="batch_size 10 is not a multiple of accumulate 3"):
        TrainConfig(batch_size=10, accumulate=3)
