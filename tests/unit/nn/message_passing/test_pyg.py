"""The steps of PyTorch Geometric against those of plain PyTorch, on the same weights."""

from __future__ import annotations

from collections.abc import Callable

import pytest

pytest.importorskip("torch_geometric")

from root_gnn.nn.message_passing.pyg import run_steps_pyg


def test_steps_are_those_of_plain_pytorch(check_steps: Callable[..., None]) -> None:
    check_steps(run_steps_pyg)
