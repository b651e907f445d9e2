"""Numbers that depend on an event's id and nothing else: splits and augmentations draw from here.

SplitMix64 (Steele, Lea, Flood 2014, doi:10.1145/2660193.2660195) over the id columns, in int64 arithmetic that
wraps around, so that a CPU, a GPU and any order of events give the same bits.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

_GOLDEN = -7046029254386353131  # 0x9E3779B97F4A7C15 as a signed number
_FIRST = -4658895280553007687  # 0xBF58476D1CE4E5B9
_SECOND = -7723592293110705685  # 0x94D049BB133111EB
_MANTISSA = 53


def _shift(x: Tensor, bits: int) -> Tensor:
    return (x >> bits) & ((1 << (64 - bits)) - 1)  # torch shifts signed numbers arithmetically


def _mix(x: Tensor) -> Tensor:
    x = x + _GOLDEN
    x = (x ^ _shift(x, 30)) * _FIRST
    x = (x ^ _shift(x, 27)) * _SECOND
    return x ^ _shift(x, 31)


def hash_ids(ids: Tensor, salt: Sequence[int] = ()) -> Tensor:
    """64 well-mixed bits for each row of `ids (n_graph, n_id)`: `(n_graph,)`, int64; `salt` makes them independent."""
    state = torch.zeros(ids.shape[0], dtype=torch.int64, device=ids.device)
    for number in salt:
        state = _mix(state ^ number)
    for column in ids.to(torch.int64).unbind(1):
        state = _mix(state ^ column)
    return state


def uniform(ids: Tensor, salt: Sequence[int] = ()) -> Tensor:
    """A number in [0, 1) per row of `ids (n_graph, n_id)`: `(n_graph,)`, float64."""
    return _shift(hash_ids(ids, salt), 64 - _MANTISSA).to(torch.float64) / float(1 << _MANTISSA)
