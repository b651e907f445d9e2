"""Splits: a function of the id alone. Subsets: balanced, nested, and no more than there is."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from root_gnn.config.loader import validate
from root_gnn.data.config import Split
from root_gnn.data.splits import split_of, subset
from root_gnn.errors import InputError

ids_lists = st.lists(st.tuples(st.integers(-(2**63), 2**63 - 1), st.integers(0, 5)), min_size=1, max_size=60)


def names(ids: list[tuple[int, int]], split: Split) -> list[str]:
    splits = split_of(np.array(ids, dtype=np.int64), split)
    result = [""] * len(ids)
    for name in ("train", "validation", "test"):
        for row in splits[name]:
            assert result[row] == ""  # in one split only
            result[row] = name
    assert "" not in result
    return result


@settings(max_examples=40)
@given(ids_lists, ids_lists, st.randoms())
def test_other_events_and_their_order_do_not_matter(ids: list[tuple[int, int]], more: list[tuple[int, int]], random: Any) -> None:
    split = Split()
    alone = dict(zip(ids, names(ids, split), strict=True))
    mixed = ids + more
    random.shuffle(mixed)
    together = dict(zip(mixed, names(mixed, split), strict=True))
    assert all(together[event] == where for event, where in alone.items())


def test_fractions_are_met() -> None:
    ids = np.stack([np.zeros(50_000, dtype=np.int64), np.arange(50_000)], axis=1)
    splits = split_of(ids, Split(train=0.7, validation=0.1, test=0.2))
    for rows, fraction in ((splits.train, 0.7), (splits.validation, 0.1), (splits.test, 0.2)):
        assert len(rows) / 50_000 == pytest.approx(fraction, abs=0.008)
        assert (np.diff(rows) > 0).all()
    everything = split_of(ids, Split(train=1.0, validation=0.0, test=0.0))
    assert (len(everything.train), len(everything.validation), len(everything.test)) == (50_000, 0, 0)
    none = split_of(ids, Split(train=0.0, validation=0.0, test=1.0))
    assert len(none.test) == 50_000


def test_no_test_split_has_no_events_from_rounding() -> None:
    ids = np.arange(20_000, dtype=np.int64)[:, None]
    assert len(split_of(ids, Split(train=0.7, validation=0.3, test=0.0)).test) == 0


def table(sizes: dict[str, int]) -> Any:
    n_event = sum(sizes.values())
    label = np.repeat(np.arange(len(sizes)), list(sizes.values()))
    return SimpleNamespace(classes=tuple(sizes), label=label, ids=np.stack([label, np.arange(n_event)], axis=1))


@settings(max_examples=30)
@given(st.integers(0, 60), st.integers(0, 60), st.integers(0, 3))
def test_subsets_are_nested_and_balanced(one: int, other: int, seed: int) -> None:
    events = table({"a": 40, "b": 50, "c": 45})
    train = np.arange(0, 135, 2)
    small, large = sorted((one, other))
    few, many = (subset(events, train, n, seed) for n in (small, large))
    assert len(many) == large
    assert set(few) <= set(many) <= set(train)
    count = np.bincount(events.label[many], minlength=3)
    assert count.max() - count.min() <= 1
    assert (np.diff(many) > 0).all()


def test_seeds_choose_differently() -> None:
    events = table({"a": 100, "b": 100})
    assert subset(events, np.arange(200), 50, 1).tolist() != subset(events, np.arange(200), 50, 2).tolist()


def test_too_many_are_refused() -> None:
    events = table({"few": 10, "many": 50})
    with pytest.raises(InputError, match=r"need 15 of few, but its training split has 10; ask for at most 20"):
        subset(events, np.arange(60), 30, 0)
    assert len(subset(events, np.arange(60), 20, 0)) == 20


def test_resimulations_stay_together(data_dir: Path) -> None:
    ids = np.array([[1, event, repeat] for event in range(50) for repeat in range(3)])
    place = np.array(names([tuple(row) for row in ids[:, :2].tolist()], validate(Split, {})))
    assert all(len(set(place[3 * event : 3 * event + 3])) == 1 for event in range(50))
    assert len(set(place)) == 3
