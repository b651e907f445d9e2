"""Which process made this event? Cross-entropy over the recipe's classes (Ho et al. 2024, arXiv:2412.10665)."""

from __future__ import annotations

from typing import Annotated, Literal, final

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor

from root_gnn.config.plugins import Family
from root_gnn.errors import InputError
from root_gnn.graph.batch import Batch
from root_gnn.nn.distributed import mean_of_all
from root_gnn.nn.inputs import GlobalInputs
from root_gnn.protocols import Encoder, Head, HeadConfig, ObjectiveConfig, Question, Supervised


class Config(ObjectiveConfig):
    """Trains encoder and head to tell the classes apart.

    `beside` puts the graph's own inputs, scaled, beside its representation: high-level features of jets for the head,
    of which a Particle Transformer reads none.
    """

    head: Annotated[HeadConfig, Family("heads")]
    label_smoothing: Annotated[float, Field(ge=0, lt=1)] = 0.0
    beside: bool = False

    @property
    def whole_events(self) -> bool:
        """See `ObjectiveConfig`."""
        return self.head.whole_events

    def build(self, encoder: Encoder, question: Question) -> Multiclass:
        """A new objective; raises InputError with fewer than two classes."""
        if len(question.classes) < 2:
            raise InputError(
                f"objective multiclass needs at least two classes under data.classes; there are {len(question.classes)}"
            )
        beside = GlobalInputs(question.features, question.scaling) if self.beside else None
        head = self.head.build(encoder.dim + (0 if beside is None else beside.dim), len(question.classes))
        return Multiclass(encoder, head, question.classes, self.label_smoothing, beside)


@final
class Multiclass(Supervised):
    """Weighted mean of the cross-entropy; the weights of a class average to one, so the mean is over events."""

    link: Literal["softmax", "sigmoid"] = "softmax"

    def __init__(
        self,
        encoder: Encoder,
        head: Head,
        classes: tuple[str, ...],
        label_smoothing: float,
        beside: GlobalInputs | None = None,
    ) -> None:
        super().__init__()
        self.encoder, self.head, self.classes = encoder, head, classes
        self.label_smoothing, self.beside = label_smoothing, beside

    def encoded(self, batch: Batch) -> Batch:
        """See `Supervised.encoded`."""
        encoded: Batch = self.encoder(batch)
        return (
            encoded
            if self.beside is None
            else encoded.replace(globals=torch.cat([encoded.globals, self.beside(batch)], dim=1))
        )

    def outputs(self) -> tuple[str, ...]:
        """The classes, in the order of their labels."""
        return self.classes

    def losses(self, outputs: Tensor, batch: Batch) -> dict[str, Tensor]:
        """`loss`, a scalar, of logits `(n_graph, n_class)`."""
        each = F.cross_entropy(outputs, batch.labels["label"], label_smoothing=self.label_smoothing, reduction="none")
        each = each if batch.weights is None else each * batch.weights
        return {"loss": mean_of_all(each.sum(), len(each), together=self.training, n_all=batch.n_graph_all)}
