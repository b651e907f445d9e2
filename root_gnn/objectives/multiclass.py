"""Classification of events or jets by the process that made them: cross-entropy (Ho et al. 2024, arXiv:2412.10665)."""

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
    """Trains encoder and head to separate the classes of the recipe.

    Attributes:
        head: the head.
        label_smoothing: share of the target probability that is spread over all classes.
        beside: whether the head also reads the scaled inputs of the whole graph, such as high-level features of a jet,
            which a Particle Transformer does not read.
    """

    head: Annotated[HeadConfig, Family("heads")]
    label_smoothing: Annotated[float, Field(ge=0, lt=1)] = 0.0
    beside: bool = False

    @property
    def whole_events(self) -> bool:
        """Whether the head needs batches that hold all jets of their events."""
        return self.head.whole_events

    def build(self, encoder: Encoder, question: Question) -> Multiclass:
        """Builds the objective; raises InputError with fewer than two classes."""
        if len(question.classes) < 2:
            raise InputError(
                f"objective multiclass needs at least two classes under data.classes; there are {len(question.classes)}"
            )
        beside = GlobalInputs(question.features, question.scaling) if self.beside else None
        head = self.head.build(encoder.dim + (0 if beside is None else beside.dim), len(question.classes))
        return Multiclass(encoder, head, question.classes, self.label_smoothing, beside)


@final
class Multiclass(Supervised):
    """Weighted mean of the cross-entropy.

    The weights of each class average to one, so that the mean is over events.

    Args:
        encoder: the encoder.
        head: the head, with one logit for each class.
        classes: names of the classes, in the order of their labels.
        label_smoothing: share of the target probability that is spread over all classes.
        beside: the graph's inputs that the head reads besides its representation; None for none.
    """

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
        """Returns the batch that the head reads.

        Encoded, and with the graph's inputs appended where `beside` says so.
        """
        encoded: Batch = self.encoder(batch)
        return (
            encoded
            if self.beside is None
            else encoded.replace(globals=torch.cat([encoded.globals, self.beside(batch)], dim=1))
        )

    def outputs(self) -> tuple[str, ...]:
        """Returns the classes, in the order of their labels."""
        return self.classes

    def losses(self, outputs: Tensor, batch: Batch) -> dict[str, Tensor]:
        """Returns the scalar `loss` of logits `(n_graph, n_class)`."""
        each = F.cross_entropy(outputs, batch.labels["label"], label_smoothing=self.label_smoothing, reduction="none")
        each = each if batch.weights is None else each * batch.weights
        return {"loss": mean_of_all(each.sum(), len(each), together=self.training, n_all=batch.n_graph_all)}
