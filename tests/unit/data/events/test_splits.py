"""Splits: a function of the id alone. Subsets: balanced, nested, and no more than there is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from root_gnn.config.loader import validate
from root_gnn.data.events.config import Split
from root_gnn.data.events.splits import split_of, split_table, subset
from root_gnn.data.events.table import EventTable
from root_gnn.data.spec.spec import Spec, load_spec
from root_gnn.errors import InputError

MakeShard = Callable[..., Any]
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
def test_other_events_and_their_order_do_not_matter(
    ids: list[tuple[int, int]], more: list[tuple[int, int]], random: Any
) -> None:
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


def test_resimulations_stay_together() -> None:
    ids = np.array([[1, event, repeat] for event in range(50) for repeat in range(3)])
    place = np.array(names([tuple(row) for row in ids[:, :2].tolist()], validate(Split, {})))
    assert all(len(set(place[3 * event : 3 * event + 3])) == 1 for event in range(50))
    assert len(set(place)) == 3


def test_folds_part_the_events_and_validation_the_rest() -> None:
    ids = np.stack([np.ones(20_000, dtype=np.int64), np.arange(20_000)], axis=1)
    folds = [split_of(ids, Split(n_fold=5, fold=fold, validation=0.25)) for fold in range(5)]
    assert sorted(np.concatenate([fold.test for fold in folds])) == list(range(20_000))
    for fold in folds:
        assert len(fold.test) == pytest.approx(4000, abs=300)
        assert len(fold.validation) / (20_000 - len(fold.test)) == pytest.approx(0.25, abs=0.02)
        assert sorted(np.concatenate([fold.train, fold.validation, fold.test])) == list(range(20_000))
        assert set(names([tuple(row) for row in ids[:50].tolist()], Split(n_fold=5, fold=0))) == {
            "train",
            "validation",
            "test",
        }


@pytest.fixture
def spec(small_spec: dict[str, Any]) -> Spec:
    return load_spec({**small_spec, "truth": {}, "split": {"branch": "ttv"}})


def test_hash_of_chosen_ids(spec: Spec, make_shard: MakeShard) -> None:
    ids = [[run, event] for run in range(4) for event in range(50)]
    events = EventTable(
        [make_shard(spec, "a", [1] * 100, ids[:100]), make_shard(spec, "b", [1] * 100, ids[100:])], spec
    )
    assert events.split_ids[:].tolist() == ids
    default, same, one = (split_table(events, Split(ids=chosen)) for chosen in ((), ("run", "event"), ("event",)))
    assert default.train.tolist() == same.train.tolist() != one.train.tolist()
    numbers = [set(one[name] % 50) for name in ("train", "validation", "test")]
    assert sum(map(len, numbers)) == len(set.union(*numbers)) == 50  # an event number is in one split, whatever its run
    assert one.train.tolist() == split_of(np.array(ids)[:, 1:], Split()).train.tolist()
    with pytest.raises(InputError, match=r"spec small has no id column evnt; did you mean event"):
        split_table(events, Split(ids=("evnt",)))


def test_a_branch_tells(spec: Spec, make_shard: MakeShard) -> None:
    ttv = [np.array(part, dtype=np.int8) for part in ([2, 0, 1, 0], [0, 2])]
    shards = [
        make_shard(spec, "a", [1] * 4, [[1, k] for k in range(4)], split=ttv[0]),
        make_shard(spec, "b", [1, 1], [[2, 0], [2, 1]], split=ttv[1]),
    ]
    splits = split_table(EventTable(shards, spec), Split(by="branch"))
    assert [splits[name].tolist() for name in ("train", "validation", "test")] == [[1, 3, 4], [2], [0, 5]]
    few = EventTable(shards, spec, max_events=3)
    assert split_table(few, Split(by="branch")).test.tolist() == np.flatnonzero(np.isin(few.rows.kept, [0, 5])).tolist()


def test_a_branch_that_does_not_tell_is_refused(spec: Spec, make_shard: MakeShard) -> None:
    good = make_shard(spec, "a", [1] * 2, [[1, 0], [1, 1]], split=np.zeros(2, dtype=np.int8))
    bad = make_shard(spec, "b", [1] * 3, [[2, 0], [2, 1], [2, 2]], split=np.array([0, 0, -1], dtype=np.int8))
    with pytest.raises(InputError, match=r"b.root: branch ttv puts entry 2 into no split, and 1 of 5 events in all"):
        split_table(EventTable([good, bad], spec), Split(by="branch"))
    without = spec.model_copy(update={"split": None})
    with pytest.raises(InputError, match="spec small names no branch for it"):
        split_table(EventTable([good], without), Split(by="branch"))


def test_files_tell(spec: Spec, make_shard: MakeShard) -> None:
    shards = [
        make_shard(spec, name, [1, 1], [[place, 0], [place, 1]]) for place, name in enumerate(("a1", "a2", "b1", "b2"))
    ]
    events = EventTable(shards, spec, files=[Path("/data/x") / f"{shard.folder.name}.root" for shard in shards])
    splits = split_table(events, Split(by="file", validation_files=("a2.root",), test_files=("b*.root", "x/b2.root")))
    assert [splits[name].tolist() for name in ("train", "validation", "test")] == [[0, 1], [2, 3], [4, 5, 6, 7]]
    with pytest.raises(
        InputError, match=r"b2.root: data.split puts this file into validation \(\*2.root\) and test \(b\*.root\)"
    ):
        split_table(events, Split(by="file", validation_files=("*2.root",), test_files=("b*.root",)))
    with pytest.raises(InputError, match=r"no file of the data is called a3.root; did you mean a"):
        split_table(events, Split(by="file", validation_files=("a3.root",), test_files=("b*.root",)))


def test_one_event_in_two_splits_is_refused_unless_kept(
    spec: Spec, make_shard: MakeShard, caplog: pytest.LogCaptureFixture
) -> None:
    shards = [
        make_shard(spec, name, [1] * 3, [[1, first + k] for k in range(3)])
        for name, first in (("a", 0), ("b", 1), ("c", 50))
    ]
    split = Split(by="file", validation_files=("c.root",), test_files=("b.root",))
    with pytest.raises(
        InputError, match=r"puts 2 events into more than one split, the event with run 1, event \d into train and test"
    ):
        split_table(EventTable(shards, spec), split)
    kept = spec.model_copy(update={"on_duplicate": "keep"})
    with caplog.at_level("WARNING"):
        assert split_table(EventTable(shards, kept), split).test.tolist() == [3, 4, 5]
    of_classes = EventTable(
        shards, spec, classes=("x", "y"), shard_label=[0, 1, 0]
    )  # which may number their events alike
    assert split_table(of_classes, split).test.tolist() == [3, 4, 5]
    with pytest.raises(
        InputError, match=r"puts 2 events into more than one split, the event with run 1, event \d into train and test"
    ):
        split_table(EventTable(shards, spec, classes=("x", "y"), shard_label=[0, 0, 1]), split)
    twice = [make_shard(spec, name, [1] * 2, [[7, 7], [7, 7]]) for name in "de"]  # twice in one split is another matter
    other = make_shard(spec, "f", [1], [[8, 8]])
    same = Split(by="file", validation_files=("f.root",), test_files=("d.root", "e.root"))
    assert len(split_table(EventTable([*twice, other], spec), same).test) == 4
