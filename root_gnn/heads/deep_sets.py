"""Deep sets over nodes (Zaheer et al. 2017, arXiv:1703.06114) or over the jets of an event (arXiv:2401.13536)."""

from __future__ import annotations

from typing import Annotated, Literal, final

import torch
from pydantic import Field
from torch import Tensor, nn

from root_gnn.errors import InputError
from root_gnn.graph.batch import Batch
from root_gnn.graph.segment import segment_mean, segment_sum
from root_gnn.nn.mlp import MLP, ActivationName
from root_gnn.protocols import Head, HeadConfig


class Config(HeadConfig):
    """`n_layer` layers before and after pooling, `hidden` wide or as wide as the representation.

    `over: nodes` pools the nodes of each graph. `over: event` is for batches whose graphs are jets: it pools the jets
    that share all ids but the last, `object`, as many as an event has, and gives each of them its event's logits.
    `beside: true` concatenates the encoder's global, which holds high-level features, to the pooled rows.
    """

    over: Literal["nodes", "event"] = "nodes"
    hidden: Annotated[int, Field(ge=1)] | None = None
    n_layer: Annotated[int, Field(ge=1)] = 3
    activation: ActivationName = "gelu"
    pooling: Literal["sum", "mean"] = "sum"
    beside: bool = False
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0

    @property
    def whole_events(self) -> bool:
        """Whether the head needs batches that hold all jets of their events."""
        return self.over == "event"

    def build(self, dim: int, n_output: int) -> DeepSetsHead:
        """A new head for representations of width `dim`; raises InputError for `beside: true` with `over: event`."""
        if self.beside and self.over == "event":
            raise InputError(
                "the head deep_sets over an event reads its jets' globals; `beside: true` is for `over: nodes`"
            )
        return DeepSetsHead(self, dim, n_output)


@final
class DeepSetsHead(Head):
    """`Linear(rho(pool of phi))`."""

    def __init__(self, config: Config, dim: int, n_output: int) -> None:
        super().__init__()
        self.over_event, self.mean, self.beside = config.over == "event", config.pooling == "mean", config.beside
        width = config.hidden or dim

        def network(*widths: int) -> MLP:
            return MLP(
                widths,
                width,
                n_layer=config.n_layer,
                activation=config.activation,
                dropout=config.dropout,
                activate_last=True,
            )

        self.phi = network(dim)
        self.rho = network(width, dim) if config.beside else network(width)
        self.out = nn.Linear(width, n_output)

    def features(self, batch: Batch) -> Tensor:
        """Returns the input of the last layer; over an event, raises InputError without ids of events and jets."""
        if self.over_event:
            event, n_jet = events_of(batch)
            rho: Tensor = self.rho(self._pool(self.phi(batch.globals), event, n_jet))
            return rho[event]
        pooled = self._pool(self.phi(batch.nodes), batch.graph_index, batch.n_node)
        out: Tensor = self.rho(torch.cat([pooled, batch.globals], dim=1) if self.beside else pooled)
        return out

    def valid_graphs(self, batch: Batch) -> Tensor | None:
        """Returns the mask `(n_graph,)` of graphs that count: over an event the first of its jets."""
        if not self.over_event:
            return None
        event, n_jet = events_of(batch)
        first = torch.full_like(n_jet, batch.n_graph).scatter_reduce(
            0, event, torch.arange(batch.n_graph, device=event.device), "amin"
        )
        return first[event] == torch.arange(batch.n_graph, device=event.device)

    def forward(self, batch: Batch) -> Tensor:
        """Returns logits `(n_graph, n_output)` of an encoded batch."""
        logits: Tensor = self.out(self.features(batch))
        return logits

    def _pool(self, rows: Tensor, index: Tensor, count: Tensor) -> Tensor:
        return segment_mean(rows, index, count) if self.mean else segment_sum(rows, index, count.shape[0])


def events_of(batch: Batch) -> tuple[Tensor, Tensor]:
    """The event of each jet, counted from 0, `(n_graph,)`, and the number of jets of each event, `(n_event,)`.

    Jets that share all ids but the last belong to one event; the order of jets does not matter. Waits for the device.
    Raises InputError without such ids.
    """
    if batch.ids is None or batch.ids.shape[1] < 2:
        raise InputError(
            "the head deep_sets over an event finds the jets of an event by their ids, all but the last, `object`; "
            "this batch has no such ids: give the data spec `graph_per` or `object`, or set `over: nodes`"
        )
    _, event, count = torch.unique(batch.ids[:, :-1], dim=0, return_inverse=True, return_counts=True)
    return event, count
