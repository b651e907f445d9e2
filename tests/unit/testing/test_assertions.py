"""What the checks of plug-ins are made of: each assertion fails where it should, and says why."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from root_gnn.graph.features import Features
from root_gnn.testing import QUESTION, random_batch
from root_gnn.testing.assertions import (
    build_seeded,
    require,
    require_finite,
    require_gradients,
    require_same,
    scalar_of_rows,
    tensor_values,
    torch_seed,
)


def test_a_statement_that_does_not_hold_is_raised_with_its_text() -> None:
    require(True, "never")
    with pytest.raises(AssertionError, match="two is not one"):
        require(False, "two is not one")


def test_tensors_are_the_same_up_to_a_relative_tolerance() -> None:
    rows = torch.tensor([100.0, 1.0])
    require_same("rows", [rows], [rows + 0.05], tolerance=1e-3)
    with pytest.raises(AssertionError, match=r"rows: by 5.00e-02"):
        require_same("rows", [rows], [rows + 0.05], tolerance=1e-4)
    with pytest.raises(AssertionError, match=r"rows: \(2,\) and \(1,\)"):
        require_same("rows", [rows], [rows[:1]], tolerance=1.0)
    require_same("nothing", [torch.zeros(0)], [torch.zeros(0)], tolerance=0.0)


def test_what_is_not_finite_is_named() -> None:
    require_finite("the loss", torch.zeros(2), torch.zeros(0))
    with pytest.raises(AssertionError, match="NaN or infinity: the loss"):
        require_finite("the loss", torch.zeros(2), torch.tensor([float("nan")]))


def test_every_parameter_needs_a_finite_gradient() -> None:
    network = nn.ModuleDict({"used": nn.Linear(2, 1), "unused": nn.Linear(2, 1)})
    with pytest.raises(AssertionError, match=r"the parameter unused.weight gets no gradient"):
        require_gradients(network, lambda: network["used"](torch.ones(3, 2)).sum())
    require_gradients(network["used"], lambda: network["used"](torch.ones(3, 2)).sum())
    with pytest.raises(AssertionError, match="NaN or infinity: the gradient of weight"):
        require_gradients(network["used"], lambda: network["used"](torch.ones(3, 2)).sum() / 0.0)


def test_seeds_repeat_and_leave_the_generator_alone() -> None:
    state = torch.get_rng_state()
    first, second = (build_seeded(lambda: nn.Linear(2, 2), seed=seed) for seed in (3, 3))
    assert torch.equal(first.weight, second.weight)
    with torch_seed(4):
        torch.rand(3)
    assert torch.equal(torch.get_rng_state(), state)


def test_values_are_copies_and_no_entry_of_a_sum_cancels() -> None:
    batch = random_batch(Features(), [2, 1], seed=1, question=QUESTION)
    before = tensor_values(batch)
    batch.nodes.zero_()
    assert not torch.equal(before[0], batch.nodes)
    rows = torch.zeros(3, 4, requires_grad=True)
    scalar_of_rows(rows).backward()
    assert rows.grad is not None and bool((rows.grad != 0).all())
