"""The steps of the compiled operator against those of plain PyTorch, on the same weights."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from root_gnn.nn.message_passing.compiled import run_steps_compiled


def test_steps_are_those_of_plain_pytorch(check_steps: Callable[..., None]) -> None:
    check_steps(partial(run_steps_compiled, recompute=False))
