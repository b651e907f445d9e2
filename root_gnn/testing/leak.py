"""The check that an objective that masks nodes keeps them from its encoder and from its target network's gradients."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from root_gnn.graph.batch import Batch
from root_gnn.protocols import Masked
from root_gnn.testing.assertions import require, scalar_of_batch


def check_hidden(objective: Masked, batch: Batch) -> None:
    """Raises AssertionError where a masked node reaches the encoder, or a gradient reaches the target network.

    The encoder reads exactly the nodes that are not masked. Its representations have no gradient with respect to masked
    nodes, and changing these changes no bit of the representations or of the weights' gradients. Every graph keeps a
    node, some graph masks one, and masked nodes contribute to the loss. The target has no gradients and moves only in
    `after_step`. The check changes the objective's weights.
    """
    mask = objective.mask(batch)
    n_masked = torch.zeros_like(batch.n_node).index_add(0, batch.graph_index, mask.long())
    require(bool(mask.any()), "no node is masked")
    require(bool((n_masked <= (batch.n_node - 1).clamp(min=0)).all()), "all nodes of a graph are masked")
    leaf = batch.replace(nodes=batch.nodes.clone().requires_grad_())
    shown, loss = _shown(objective, leaf)
    n_left = int((~mask).sum())
    require(shown.total_node == n_left, f"the encoder reads {shown.total_node} nodes, and {n_left} are not masked")
    (gradient,) = torch.autograd.grad(scalar_of_batch(shown), leaf.nodes, retain_graph=True)
    require(
        not bool((gradient[mask] != 0).any()),
        "the context's representations have a gradient with respect to masked nodes",
    )
    require(bool((gradient[~mask] != 0).any()), "the context's representations depend on no node")
    other = _with_other_masked_nodes(objective, batch, mask)
    changed, other_loss = _shown(objective, other)
    same = torch.equal(shown.nodes, changed.nodes) and torch.equal(shown.globals, changed.globals)
    require(same, "changing masked nodes changes the context's representations")
    weights = list(objective.encoder.parameters())
    first, second = (torch.autograd.grad(scalar_of_batch(out), weights, retain_graph=True) for out in (shown, changed))
    require(_equal(first, second), "changing masked nodes changes the gradient of the context's representations")
    require(float(loss.detach()) != float(other_loss.detach()), "masked nodes do not contribute to the loss")
    if isinstance(target := getattr(objective, "target", None), nn.Module):
        _check_target(objective, target, loss)


def _shown(objective: Masked, batch: Batch) -> tuple[Batch, Tensor]:
    """Returns the output of the encoder's only call and the loss."""
    outputs: list[Batch] = []
    hook = objective.encoder.register_forward_hook(lambda *call: outputs.append(call[2]))
    loss = objective(batch)["loss"]
    hook.remove()
    require(len(outputs) == 1, f"the encoder is called {len(outputs)} times instead of once")
    return outputs[0], loss


def _with_other_masked_nodes(objective: Masked, batch: Batch, mask: Tensor) -> Batch:
    """Returns the batch with masked nodes changed by as much as leaves the mask itself unchanged."""
    share = torch.rand(batch.nodes.shape, generator=torch.Generator().manual_seed(5)).to(batch.nodes)
    for size in (1.0, 0.1, 0.01, 0.001):
        other = batch.replace(nodes=torch.where(mask.unsqueeze(1), batch.nodes * (1.0 + size * share), batch.nodes))
        if torch.equal(objective.mask(other), mask):
            return other
    raise AssertionError("the slightest change of masked nodes changes the mask")


def _check_target(objective: Masked, target: nn.Module, loss: Tensor) -> None:
    require(
        not any(parameter.requires_grad for parameter in target.parameters()), "the target's weights require gradients"
    )
    before = [value.clone() for value in target.state_dict().values()]
    loss.backward()  # type: ignore[no-untyped-call]
    require(all(parameter.grad is None for parameter in target.parameters()), "the target gets a gradient")
    with torch.no_grad():
        for parameter in objective.encoder.parameters():
            parameter.add_(0.1)
    require(_equal(before, list(target.state_dict().values())), "the target moves before the step is over")
    objective.after_step(0.0)
    require(not _equal(before, list(target.state_dict().values())), "the target does not move after a step")


def _equal(first: Sequence[Tensor], second: Sequence[Tensor]) -> bool:
    return all(torch.equal(a, b) for a, b in zip(first, second, strict=True))
