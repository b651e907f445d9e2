"""The law of the size of pretraining on made-up points of which all is known."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from root_gnn.metrics.bootstrap import SeedMean
from root_gnn.study.answers.pretraining_size import SizePowerLaw, size_power_laws
from root_gnn.study.plan import Cell, Study
from root_gnn.study.results import Results

SIZES = {"all": 80_000, "third": 27_000, "tenth": 8_000, "other": 5_000}
SCALE, EXPONENT, ERROR = 0.2, 0.25, 0.004
PLAN = Study.model_validate(
    {
        "name": "s",
        "tasks": ["WHvsZH"],
        "train_events": [1000, 100],
        "modes": ["finetuned", "frozen"],
        "pretrained": {
            "all": {"recipe": "r", "set": ["optim.lr=1e-3", "train.max_epochs=3"]},
            "third": {"recipe": "r", "set": ["data.train_events=27000", "optim.lr=1e-3"], "only_smallest": True},
            "tenth": {
                "recipe": "r",
                "set": ["data.train_events=8000", "train.max_steps=9", "optim.lr=1e-3"],
                "only_smallest": True,
            },
            "other": {"recipe": "r", "set": ["optim.lr=1e-2"]},
        },
    }
)


def measured(auc: float) -> SeedMean:
    return SeedMean(auc, auc - ERROR, auc + ERROR, (auc,), 1)


def found_with(loss: dict[str, float], plan: Study = PLAN) -> dict[str, SizePowerLaw]:
    """The laws of a study whose groups have the given 1 - AUC at the smallest size, frozen ones twice that."""

    def answer(factor: float) -> Any:
        groups = [
            SimpleNamespace(name=f"{name}, {mode}", auc=measured(1.0 - times * value))
            for name, value in loss.items()
            for mode, times in (("finetuned", factor), ("frozen", 2.0 * factor))
        ]
        return SimpleNamespace(comparison=SimpleNamespace(groups=groups))

    cells = {Cell("WHvsZH", "", 1000): answer(0.5), Cell("WHvsZH", "", 100): answer(1.0)}
    pretrained: Any = {name: SimpleNamespace(plan={"events": {"train": SIZES[name]}}) for name in plan.pretrained}
    return size_power_laws(Results(plan, cells, pretrained, {}, Path(), Path()))


def law(size: float) -> float:
    return SCALE * (size / 1e4) ** -EXPONENT


def test_the_exponent_is_found_at_the_smallest_size_of_training_for_each_mode() -> None:
    found = found_with({name: law(size) for name, size in SIZES.items()})
    assert list(found) == ["WHvsZH, finetuned", "WHvsZH, frozen"]
    for one, factor in zip(found.values(), (1.0, 2.0), strict=True):
        assert one.train_events == 100 and list(one.points) == [8_000, 27_000, 80_000], (
            "one of another learning rate is of no series"
        )
        assert one.points[8_000].value == pytest.approx(factor * law(8_000))
        assert one.points[8_000].high - one.points[8_000].low == pytest.approx(2.0 * ERROR)
        assert one.law is not None and one.law.exponent.value == pytest.approx(EXPONENT, rel=1e-6)
        assert one.law.at(40_000).value == pytest.approx(factor * law(40_000), rel=1e-6)


def test_the_error_of_the_exponent_covers_it() -> None:
    generator, pulls = np.random.default_rng(1), []
    for _ in range(200):
        found = found_with({name: law(size) + ERROR * generator.normal() for name, size in SIZES.items()})[
            "WHvsZH, finetuned"
        ].law
        assert found is not None
        pulls.append((found.exponent.value - EXPONENT) / found.exponent.error)
    assert np.mean(np.abs(pulls) < 1.0) == pytest.approx(0.683, abs=0.1), "three standard deviations of 200 toys"
    assert abs(np.mean(pulls)) < 0.2


def test_two_sizes_are_no_series() -> None:
    kept = {name: one for name, one in PLAN.pretrained.items() if name != "third"}
    assert found_with(dict.fromkeys(SIZES, 0.2), PLAN.model_copy(update={"pretrained": kept})) == {}
