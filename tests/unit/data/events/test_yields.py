"""Expected yields, by hand: 4 fb-1, weights that add up to what is written here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from root_gnn.config.loader import validate
from root_gnn.data.cache.shard import Shard
from root_gnn.data.events.config import DataConfig
from root_gnn.data.events.table import EventTable
from root_gnn.data.spec.spec import Spec, load_spec
from root_gnn.errors import InputError

MakeShard = Callable[..., Shard]
WEIGHTS = [2.0, 1.0, -1.0, 3.0]  # 5 together


@pytest.fixture
def spec(small_spec: dict[str, Any]) -> Spec:
    return load_spec({**small_spec, "truth": {}})


def table(spec: Spec, shards: list[Shard], classes: dict[str, int] | None = None, **keys: Any) -> EventTable:
    """Classes with how many of the shards each has; one class without."""
    classes = classes or {"a": len(shards)}
    label = [place for place, n in enumerate(classes.values()) for _ in range(n)]
    return EventTable(shards, spec, classes=tuple(classes), shard_label=label, lumi=4.0, **keys)


def ids(n: int) -> Any:
    return np.stack([np.ones(n), np.arange(n)], axis=1)


def total(events: EventTable, index: Any = None) -> float:
    found = events.cross_section_weights(index)
    assert found is not None
    return float(found.sum())


def test_what_the_selection_drops_counts(spec: Spec, make_shard: MakeShard) -> None:
    shard = make_shard(spec, "a", [1, 1, 1, 1], ids(4), weight=WEIGHTS, read=10.0, metadata={"cross_section": 3.0})
    events = table(spec, [shard])
    assert total(events) == pytest.approx(3.0 * 4000 * 5 / 10)  # half of the sum of weights passes
    assert events.cross_section_weights() == pytest.approx(np.array(WEIGHTS) * 3.0 * 4000 / 10)
    split = np.array([3, 0])
    assert total(events, split) == pytest.approx(3.0 * 4000 * 5 / 10)  # the split stands for all that is kept
    assert events.cross_section_weights(split) == pytest.approx(np.array([3.0, 2.0]) / 5 * 6000)


def test_the_sum_of_weights_before_a_skim_wins_where_every_file_tells_it(spec: Spec, make_shard: MakeShard) -> None:
    facts = {"process": "p", "cross_section": 3.0, "n_tried": 100, "n_kept": 50}
    one = make_shard(spec, "a", [1] * 4, ids(4), weight=WEIGHTS, read=10.0, metadata={**facts, "sum_of_weights": 40.0})
    two = make_shard(spec, "b", [1] * 4, ids(4), weight=WEIGHTS, read=10.0, metadata={**facts, "sum_of_weights": 60.0})
    mute = make_shard(spec, "c", [1] * 4, ids(4), weight=WEIGHTS, read=10.0, metadata=facts)
    assert total(table(spec, [one, two])) == pytest.approx(3.0 * 4000 * 10 / 100)
    assert total(table(spec, [one, two]), np.array([0, 5])) == pytest.approx(3.0 * 4000 * 10 / 100)
    assert total(table(spec, [one, mute])) == pytest.approx(
        3.0 * 0.5 * 4000 * 10 / 20
    )  # one file does not tell: as read


def test_cross_sections_of_the_recipe(spec: Spec, make_shard: MakeShard) -> None:
    one, two = (make_shard(spec, name, [1] * 4, ids(4), weight=WEIGHTS) for name in "ab")
    other = make_shard(spec, "c", [1] * 4, ids(4), weight=WEIGHTS, metadata={"cross_section": 0.5})
    classes = {"signal": 2, "background": 1}
    events = table(spec, [one, two, other], classes, cross_sections={"signal": 7.0})
    found = events.cross_section_weights()
    assert found is not None
    assert found[:8].sum() == pytest.approx(7.0 * 4000)  # the files of the class are one sample
    assert found[8:].sum() == pytest.approx(0.5 * 4000)
    assert table(spec, [one, two, other], classes).cross_section_weights() is None
    with pytest.raises(InputError, match=r"gives 2 pb to c.root, and the file itself says 0.5 pb"):
        table(spec, [one, two, other], classes, cross_sections={"signal": 7.0, "background": 2.0})


def test_sums_that_are_not_positive_are_refused(spec: Spec, make_shard: MakeShard) -> None:
    shard = make_shard(spec, "a", [1] * 4, ids(4), weight=WEIGHTS, metadata={"cross_section": 3.0})
    events = table(spec, [shard])
    with pytest.raises(InputError, match=r"weights of a.root add up to -1; .* Unset data.lumi"):
        events.cross_section_weights(np.array([2]))
    assert EventTable([shard], spec).cross_section_weights() is None  # no luminosity


def test_the_recipe_is_checked() -> None:
    data = {"classes": {"signal": "a.root"}, "lumi": 1.0}
    assert validate(DataConfig, {**data, "cross_sections": {"signal": 2}}).cross_sections == {"signal": 2.0}
    for change, message in (
        ({"cross_sections": {"signl": 1.0}}, "signl is not one of classes; did you mean signal"),
        ({"cross_sections": {"signal": 0.0}}, "cross_sections"),
        ({"cross_sections": {"signal": 1.0}, "lumi": None}, "give lumi too"),
        ({"classes": {}, "files": "a.root", "cross_sections": {"signal": 1.0}}, "there are none"),
    ):
        with pytest.raises(InputError, match=message):
            validate(DataConfig, {**data, **change})
