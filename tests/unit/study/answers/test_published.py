"""What is said of published figures, from a study's figures made by hand."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from root_gnn.config.loader import load
from root_gnn.config.shipped import find
from root_gnn.metrics.bootstrap import PairedDifference
from root_gnn.metrics.cost import BreakEven
from root_gnn.metrics.seeds import OverSeeds, over_seeds
from root_gnn.study.answers.published import PublishedComparison, points
from root_gnn.study.plan import Study
from root_gnn.study.published import Published

GROUP = "multi, finetuned"
CLAIMS = Published(
    source="somebody",
    group=GROUP,
    gain_smallest=(0.0, 0.15),
    gain_largest=(0.0, 0.02),
    cost_ratio={"T": 0.5},
    break_even=60,
    similarity="other",
)


def answer(scratch: float, gain: float, error: float) -> Any:
    difference = PairedDifference(gain, gain - error, gain + error, (gain,) * 3, 3, abs(gain) > error)
    groups = [SimpleNamespace(name="scratch", auc=SimpleNamespace(mean=scratch))]
    differences = [SimpleNamespace(group=GROUP, auc=difference, verdict="above")]
    return SimpleNamespace(comparison=SimpleNamespace(groups=groups, differences=differences, reference="scratch"))


def speed(*seconds: float | None) -> Any:
    every = {"scratch": [10.0] * len(seconds), GROUP: list(seconds)}
    return {1000: {name: SimpleNamespace(to_scratch=over_seeds(values)) for name, values in every.items()}}


def found(
    *, gains: tuple[float, float] = (0.06, 0.01), seconds: tuple[float, ...] = (4.0, 5.0, 6.0), cka: float = 0.5
) -> list[PublishedComparison]:
    answers = {100: answer(0.6, gains[0], 0.005), 1000: answer(0.7, gains[1], 0.005)}
    by_size = {1000: {"floor": (0.9, 0.01), "scratch": (1.0, 0.0), GROUP: (cka, 0.01)}}
    return list(points(CLAIMS, "T", answers, speed(*seconds), {1000: {GROUP: BreakEven(5.0, 4.0, None)}}, by_size))


def about(what: str, each: list[PublishedComparison]) -> list[PublishedComparison]:
    return [point for point in each if point.what.startswith(what)]


def test_gains_are_relative_to_the_auc_of_scratch() -> None:
    small, large = about("gain", found())
    assert (
        small.here.startswith("+10.0 % [+9.2, +10.8] (+0.060 [+0.055, +0.065], above), 100 events")
        and small.agreement == "agrees"
    )
    assert large.published == "+0 to +2 %" and large.agreement == "agrees"
    small, large = about("gain", found(gains=(-0.02, 0.1)))
    assert small.agreement == large.agreement == "differs"


def test_costs_agree_on_the_same_side_of_one() -> None:
    times = ((4.0, 5.0, 6.0), (14.0, 15.0, 16.0), (9.0, 10.5, 12.0))
    costs = [about("cost", found(seconds=each))[0] for each in times]
    error = over_seeds([4.0, 5.0, 6.0])
    assert isinstance(error, OverSeeds) and error.error is not None
    assert costs[0].here == f"0.50 ± {error.error / 10:.2f}, 1,000 events"
    assert [one.agreement for one in costs] == ["agrees", "differs", "not told apart"]


def test_a_pretraining_that_pays_agrees() -> None:
    (point,) = about("trainings", found())
    assert (point.published, point.here, point.agreement) == ("60", "5.0 [4.0, no limit], 1,000 events", "agrees")


def test_a_cost_is_not_defined_where_a_seed_did_not_get_there() -> None:
    answers = {1000: answer(0.7, 0.01, 0.005)}
    only = CLAIMS.model_copy(
        update={"gain_smallest": None, "gain_largest": None, "break_even": None, "similarity": None}
    )
    assert [point.agreement for point in points(only, "T", answers, speed(5.0, None), {1000: {}}, {1000: {}})] == [
        "not defined"
    ]
    assert list(points(only, "another task", answers, speed(5.0, None), {1000: {}}, {1000: {}})) == []


@pytest.mark.parametrize(("cka", "agreement"), [(0.5, "agrees"), (0.895, "differs"), (0.95, "differs")])
def test_representations_are_other_than_scratch_if_less_alike_than_its_seeds(cka: float, agreement: str) -> None:
    (point,) = about("CKA", found(cka=cka))
    assert point.agreement == agreement and "between seeds of scratch 0.90 ± 0.01" in point.here


def test_the_five_tasks_have_everything_that_was_published() -> None:
    study = load(Study, find("five_tasks", "study"), [])
    assert study.published is not None and set(study.published.cost_ratio) == set(study.tasks)
    assert study.published.group in next(iter(study.groups().values()))
