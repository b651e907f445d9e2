"""The section `train` of a recipe: its ranges, and which way the monitored value is better."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from root_gnn.config.section import Section
from root_gnn.training.config import TrainConfig
from root_gnn.training.optim import OptimConfig


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


PAGE = Path(__file__).parents[3] / "docs" / "training.md"


@pytest.mark.skipif(not PAGE.is_file(), reason="the documentation is not installed beside the tests")
@pytest.mark.parametrize(("section", "config"), [("train", TrainConfig), ("optim", OptimConfig)])
def test_the_documentation_lists_every_key_with_its_default(section: str, config: type[Section]) -> None:
    rows = dict(re.findall(rf"^\| `{section}\.(\w+)` \| ([^|]+) \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE))
    assert set(rows) == set(config.model_fields)
    for name in ("max_epochs", "lr", "batch_size", "gamma"):
        if name in rows:
            assert float(rows[name]) == config.model_fields[name].default
