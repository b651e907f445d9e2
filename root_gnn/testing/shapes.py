"""Checks whether the shapes of a network's tensors depend on the sizes of the graphs in a batch of one padded shape."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from root_gnn.graph.batch import Batch
from root_gnn.graph.static import Shape, padded
from root_gnn.protocols import Encoder, Head
from root_gnn.testing.assertions import require

PADDED_SIZES = ((6, 1, 4, 0, 9, 3), (2, 7, 1, 8, 5, 0))  # the same number of graphs and of nodes


def shapes_are_fixed(network: Callable[[Batch], Any], batch_of: Callable[[Sequence[int]], Batch]) -> bool:
    """Returns whether `network` runs the same operations with the same shapes on two batches padded to one shape.

    `batch_of` makes a batch of complete graphs from their numbers of nodes. A network for which this is true can be
    captured once and replayed, by `train.static_shapes` and by `train.compile`.
    """
    shape = Shape(n_graph=8, n_node=32, n_edge=240)
    recorded: list[list[tuple[str, tuple[tuple[int, ...], ...]]]] = []
    for sizes in PADDED_SIZES:
        batch = padded(batch_of(sizes), shape)
        with torch.no_grad(), _RecordedShapes() as record:
            network(batch)
        recorded.append(record.shapes)
    return recorded[0] == recorded[1]


def require_fixed_shapes(network: Encoder | Head, batch_of: Callable[[Sequence[int]], Batch]) -> None:
    """Raises AssertionError where `network.fixed_shapes` is true and tensors change their shapes."""
    training = network.training
    network.eval()
    fixed = not network.fixed_shapes or shapes_are_fixed(network, batch_of)
    network.train(training)
    require(fixed, "fixed_shapes is true, and shapes of tensors change with the sizes of the graphs")


class _RecordedShapes(TorchDispatchMode):  # type: ignore[no-untyped-call] # PyTorch does not annotate it
    """Records the name of each operation and the shapes of its results, in the order in which PyTorch runs them."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.shapes: list[tuple[str, tuple[tuple[int, ...], ...]]] = []

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        del types  # only the operation matters here
        out = func(*args, **(kwargs or {}))
        tensors = out if isinstance(out, tuple | list) else (out,)
        self.shapes.append((str(func), tuple(tuple(x.shape) for x in tensors if isinstance(x, Tensor))))
        return out
