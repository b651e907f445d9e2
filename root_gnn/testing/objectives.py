"""The conformance checks of objectives."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from root_gnn.graph.batch import Batch
from root_gnn.protocols import Encoder, Masked, Objective, Question, Supervised
from root_gnn.testing.assertions import (
    build_seeded,
    require,
    require_finite,
    require_same,
    tensor_values,
    torch_seed,
)
from root_gnn.testing.batches import (
    QUESTION,
    SIZES,
    TinyEncoder,
    random_batch,
)
from root_gnn.testing.leak import check_hidden


def check_objective(build: Callable[[Encoder, Question], Objective], *, question: Question | None = None) -> None:
    """Checks the contract of `protocols.Objective` on a new objective.

    The loss is a finite scalar, also with negative weights, with graphs without nodes and under bf16 autocast, where it
    is float32; its gradient is finite and reaches the encoder; the input batch is unchanged; the same seed gives the
    same loss; every logit has a name. Raises AssertionError.
    """
    question = question or QUESTION
    batch = random_batch(question.features, SIZES * 3, seed=1, question=question)
    objective = build_seeded(lambda: build(TinyEncoder(question.features), question), seed=2)
    before = tensor_values(batch)
    with torch_seed(3):
        losses = objective(batch)
    require_same("the input batch was changed", before, tensor_values(batch), 0.0)
    require("loss" in losses, f"the losses have no `loss`, only {', '.join(losses)}")
    for name, value in losses.items():
        require(value.shape == (), f"{name} must be a scalar, not {tuple(value.shape)}")
        require_finite(name, value)
    losses["loss"].backward()
    gradients = [parameter.grad for parameter in objective.encoder.parameters() if parameter.grad is not None]
    require(any(bool((gradient != 0).any()) for gradient in gradients), "no gradient reaches the encoder")
    require_finite("the encoder's gradient", *gradients)
    objective.after_step(0.5)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        half = objective(batch)["loss"]
    require_finite("the loss in bf16", half)
    require(
        half.dtype == torch.float32, f"under autocast to bf16 the loss must be computed in float32, not {half.dtype}"
    )
    objective.eval()
    with torch_seed(4):
        first = objective(batch)["loss"]
    with torch_seed(4):
        require_same("the same seed gives another loss", [first], [objective(batch)["loss"]], 0.0)
    if isinstance(objective, Supervised):
        _check_supervised(objective, batch, first)
    if isinstance(objective, Masked):
        check_no_leak(build, question=question)  # type: ignore[arg-type]


def check_no_leak(build: Callable[[Encoder, Question], Masked], *, question: Question | None = None) -> None:
    """Checks that no masked node reaches the encoder: `check_hidden` on a small encoder and batch."""
    question = question or QUESTION
    batch = random_batch(question.features, (12, 5, 1, 10, 0, 14, 11, 2), seed=1, question=question)
    check_hidden(build_seeded(lambda: build(TinyEncoder(question.features), question), seed=2), batch)


def _check_supervised(objective: Supervised, batch: Batch, loss: Tensor) -> None:
    logits, names = objective.logits(batch), objective.outputs()
    require(
        logits.shape == (batch.n_graph, len(names)),
        f"logits are {tuple(logits.shape)} for {len(names)} outputs: {', '.join(names)}",
    )
    require(len(set(names)) == len(names), f"outputs share a name: {', '.join(names)}")
    reverse = torch.arange(batch.n_graph - 1, -1, -1)
    require_same(
        "the order of graphs changes the logits", [logits[reverse]], [objective.logits(batch.select(reverse))], 1e-5
    )
    require_same("the order of graphs changes the loss", [loss], [objective(batch.select(reverse))["loss"]], 1e-4)
