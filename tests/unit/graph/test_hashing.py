"""The hash against SplitMix64 in Python's own integers, and its uniformity."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from root_gnn.graph.hashing import hash_ids, uniform

INT64 = st.integers(-(2**63), 2**63 - 1)
MASK = 2**64 - 1


def mix(x: int) -> int:
    """The output function of SplitMix64 after one step of its state, from the paper."""
    x = (x + 0x9E3779B97F4A7C15) & MASK
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & MASK
    return x ^ (x >> 31)


def reference(row: list[int], salt: tuple[int, ...]) -> int:
    state = 0
    for number in (*salt, *row):
        state = mix(state ^ (number & MASK))
    return state


def test_reference_is_splitmix64() -> None:
    """First outputs for the seed 1234567, as published with the reference implementation."""
    assert [mix((1234567 + k * 0x9E3779B97F4A7C15) & MASK) for k in range(3)] == [
        6457827717110365317,
        3203168211198807973,
        9817491932198370423,
    ]


@settings(max_examples=60, deadline=None)
@given(rows=st.lists(st.lists(INT64, min_size=2, max_size=2), min_size=1, max_size=4), salt=st.tuples(INT64, INT64))
def test_hash_is_splitmix64_over_the_columns(rows: list[list[int]], salt: tuple[int, int]) -> None:
    got = hash_ids(torch.tensor(rows), salt)
    assert [number & MASK for number in got.tolist()] == [reference(row, salt) for row in rows]
    assert uniform(torch.tensor(rows), salt).tolist() == [(reference(row, salt) >> 11) / 2**53 for row in rows]


def test_numbers_are_uniform_and_independent_between_salts() -> None:
    ids = torch.stack([torch.full((20_000,), 3), torch.arange(20_000)], 1)
    a, b = uniform(ids, (1,)).numpy(), uniform(ids, (2,)).numpy()
    for numbers in (a, b):
        assert numbers.min() >= 0.0 and numbers.max() < 1.0
        counts = np.histogram(numbers, 50, (0, 1))[0]
        assert float(((counts - 400) ** 2 / 400).sum()) < 49 + 5 * np.sqrt(2 * 49)
    assert abs(np.corrcoef(a, b)[0, 1]) < 0.03
    assert len(np.unique(hash_ids(ids).numpy())) == 20_000


def test_narrow_id_columns_hash_as_wide_ones() -> None:
    ids = torch.tensor([[1, 2], [3, 4]])
    assert torch.equal(hash_ids(ids.to(torch.int32)), hash_ids(ids))
