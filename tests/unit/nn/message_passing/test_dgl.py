"""The steps of DGL against those of plain PyTorch, on the same weights."""

from __future__ import annotations

from collections.abc import Callable

import pytest

pytest.importorskip("dgl")

from root_gnn.nn.message_passing.dgl import run_steps_dgl


def test_steps_are_those_of_plain_pytorch(check_steps: Callable[..., None]) -> None:
    check_steps(run_steps_dgl)
