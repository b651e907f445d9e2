"""What a case is made of: equality before anything is timed, rows for everyone against everyone else."""

from __future__ import annotations

import argparse

import pytest
import torch

from root_gnn.bench.case import Bench, UnequalError, Work, agree, installed

BENCH = Bench(rounds=3, quick=False, allocator="default", data_dir=None, options=argparse.Namespace())


def spin(n: int) -> None:
    torch.ones(n).sum().item()


def test_what_differs_is_not_timed() -> None:
    one = torch.tensor([1.0, 2.0])
    assert agree("x", one, one + 1e-7, 1e-5) == pytest.approx(1e-7, rel=0.3)
    for other in (one + 1.0, one * torch.nan, one[:1]):
        with pytest.raises(UnequalError, match=r"x: the outputs .* nothing is timed"):
            agree("x", one, other, 1e-5)


def test_each_of_ours_stands_against_each_of_the_others() -> None:
    runs = {name: (lambda: spin(1000)) for name in ("a", "b", "x", "y")}
    rows = list(
        BENCH.compare("what", runs, ours=["a", "b"], amount=10, unit="events", targets={"b": 2.0}, difference=0.0)
    )
    assert [(row.ours, row.reference, row.target) for row in rows] == [
        ("a", "x", None),
        ("a", "y", None),
        ("b", "x", 2.0),
        ("b", "y", 2.0),
    ]
    assert all(
        row.low <= row.ratio <= row.high and row.unit == "events/s" and row.max_difference == 0.0 for row in rows
    )
    assert all(set(row.rates) == {row.ours, row.reference} and min(row.rates.values()) > 0.0 for row in rows)


def test_the_fraction_of_the_limit_goes_with_the_work() -> None:
    runs = {"a": lambda: spin(100_000), "x": lambda: spin(100_000)}
    work = {"a": Work(1e6, 32)}
    (row,) = BENCH.compare("what", runs, ours=["a"], amount=1, unit="events", work=work, limit_targets={"a": 0.5})
    assert row.limit_fraction is not None and row.limit_fraction > 0.0 and row.limit_target == 0.5
    assert "torch.mm" not in row.rates


def test_a_package_is_found_without_importing_it() -> None:
    assert installed("torch") and not installed("no_such_package_at_all")
