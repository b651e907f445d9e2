"""The random generators of a resumed training go on where they were."""

from __future__ import annotations

import random

import numpy as np
import torch

from root_gnn.training.callbacks.random_state import RandomState


def draws() -> tuple[float, float, float]:
    return float(torch.rand(1)), float(np.random.random()), random.random()  # noqa: NPY002


def test_states_are_put_back_and_what_follows_is_the_same() -> None:
    callback = RandomState(seed=1)
    with torch.random.fork_rng(devices=[]):
        (state,) = callback.state_dict()["ranks"]
        expected = draws()
        assert draws() != expected
        callback._put_back(state)
        assert draws() == expected


def test_states_are_plain_values_and_tensors() -> None:
    (state,) = RandomState(seed=1).state_dict()["ranks"]
    assert isinstance(state["torch"], torch.Tensor)
    assert {type(value) for value in state["numpy"][1]} == {int}
