"""Whether an objective that hides nodes hides them: the test that no published subjet or particle JEPA came with."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from root_gnn.graph.batch import Batch
from root_gnn.protocols import Masked


def check_hidden(objective: Masked, batch: Batch) -> None:
    """Raises AssertionError where what is hidden reaches the encoder, or a gradient reaches the target network.

    The encoder is shown exactly the nodes that are not hidden; its representations have no gradient with respect to hidden
    nodes, and changing those changes neither the representations nor the weights' gradients, by a single bit; every graph
    keeps a node and some hide one; hidden nodes have a part in the loss; the target has gradients nowhere and moves in
    `after_step` alone. The objective's weights are changed by the test.
    """
    hide = objective.hidden(batch)
    n_hidden = torch.zeros_like(batch.n_node).index_add(0, batch.graph_index, hide.long())
    _require(bool(hide.any()), "nothing is hidden")
    _require(bool((n_hidden <= (batch.n_node - 1).clamp(min=0)).all()), "a graph has all of its nodes hidden")
    leaf = batch.replace(nodes=batch.nodes.clone().requires_grad_())
    shown, loss = _shown(objective, leaf)
    n_left = int((~hide).sum())
    _require(shown.total_node == n_left, f"the encoder is shown {shown.total_node} nodes, and {n_left} are not hidden")
    (gradient,) = torch.autograd.grad(_mixed(shown), leaf.nodes, retain_graph=True)
    _require(
        not bool((gradient[hide] != 0).any()),
        "the context's representations have a gradient with respect to hidden nodes",
    )
    _require(bool((gradient[~hide] != 0).any()), "the context's representations depend on no node")
    other = _with_other_hidden(objective, batch, hide)
    changed, other_loss = _shown(objective, other)
    same = torch.equal(shown.nodes, changed.nodes) and torch.equal(shown.globals, changed.globals)
    _require(same, "changing hidden nodes changes the context's representations")
    weights = list(objective.encoder.parameters())
    first, second = (torch.autograd.grad(_mixed(out), weights, retain_graph=True) for out in (shown, changed))
    _require(_equal(first, second), "changing hidden nodes changes the gradient of the context's representations")
    _require(float(loss.detach()) != float(other_loss.detach()), "hidden nodes have no part in the loss")
    if isinstance(target := getattr(objective, "target", None), nn.Module):
        _check_target(objective, target, loss)


def _shown(objective: Masked, batch: Batch) -> tuple[Batch, Tensor]:
    """What the encoder made of what it was shown, in the only call of it, and the loss."""
    outputs: list[Batch] = []
    hook = objective.encoder.register_forward_hook(lambda module, inputs, output: outputs.append(output))
    loss = objective(batch)["loss"]
    hook.remove()
    _require(len(outputs) == 1, f"the encoder is called {len(outputs)} times instead of once")
    return outputs[0], loss


def _with_other_hidden(objective: Masked, batch: Batch, hide: Tensor) -> Batch:
    """The batch with hidden nodes changed, as far as the same ones are hidden then."""
    share = torch.rand(batch.nodes.shape, generator=torch.Generator().manual_seed(5)).to(batch.nodes)
    for size in (1.0, 0.1, 0.01, 0.001):
        other = batch.replace(nodes=torch.where(hide.unsqueeze(1), batch.nodes * (1.0 + size * share), batch.nodes))
        if torch.equal(objective.hidden(other), hide):
            return other
    raise AssertionError("the slightest change of hidden nodes hides others")


def _check_target(objective: Masked, target: nn.Module, loss: Tensor) -> None:
    _require(
        not any(parameter.requires_grad for parameter in target.parameters()), "the target's weights ask for gradients"
    )
    before = [value.clone() for value in target.state_dict().values()]
    loss.backward()  # type: ignore[no-untyped-call]
    _require(all(parameter.grad is None for parameter in target.parameters()), "the target gets a gradient")
    with torch.no_grad():
        for parameter in objective.encoder.parameters():
            parameter.add_(0.1)
    _require(_equal(before, list(target.state_dict().values())), "the target moves before the step is over")
    objective.after_step(0.0)
    _require(not _equal(before, list(target.state_dict().values())), "the target does not move after a step")


def _mixed(batch: Batch) -> Tensor:
    """A number that every representation has a part in, with weights of its own."""
    generator = torch.Generator().manual_seed(11)
    rows = [
        part.float() * torch.randn(part.shape, generator=generator).to(part.device)
        for part in (batch.nodes, batch.globals)
    ]
    return rows[0].sum() + rows[1].sum()


def _equal(first: Sequence[Tensor], second: Sequence[Tensor]) -> bool:
    return all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


def _require(holds: bool, text: str) -> None:
    if not holds:
        raise AssertionError(text)
