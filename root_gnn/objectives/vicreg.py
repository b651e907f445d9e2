"""VICReg (Bardes, Ponce and LeCun 2022, arXiv:2105.04906): two views agree, features vary and are uncorrelated.

Event weights are not used.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, final

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor

from root_gnn.graph.batch import Batch
from root_gnn.graph.random_stream import RandomStream
from root_gnn.nn.distributed import mean_of_all
from root_gnn.nn.float32 import at_least_float32
from root_gnn.nn.nt_xent import alignment
from root_gnn.nn.projector import Projector
from root_gnn.nn.spread import covariance_term, variance_term
from root_gnn.objectives.parts.drop_globals import DropGlobals
from root_gnn.objectives.parts.views import Pairs, TwoChains, Views, encoded
from root_gnn.protocols import STILL, Encoder, Objective, ObjectiveConfig, Question

Width = Annotated[int, Field(ge=1)]
Weight = Annotated[float, Field(ge=0)]


class Config(ObjectiveConfig):
    """Weights of the three terms as published, and the projector, which is used in training only.

    `pairs` is as in the contrastive objective.
    """

    pairs: Pairs = "views"
    views: TwoChains = ("rotate_phi",), ("rotate_phi", "reflect_eta")  # type: ignore[assignment]
    invariance: Weight = 25.0
    variance: Weight = 25.0
    covariance: Weight = 1.0
    projector: Annotated[tuple[Width, ...], Field(min_length=1)] = (128, 128, 128)

    def build(self, encoder: Encoder, question: Question) -> VICReg:
        """Builds the objective, which needs no labels."""
        return VICReg(self, encoder, question)


@final
class VICReg(Objective):
    """VICReg's loss, whose terms run over the graphs of all processes.

    The batch norms of the projector run over the graphs of one process.
    """

    measures: ClassVar[tuple[str, ...]] = ("alignment",)

    def __init__(self, config: Config, encoder: Encoder, question: Question) -> None:
        super().__init__()
        self.config, self.encoder, self.neutral = config, encoder, DropGlobals(question)
        self.paired = config.pairs == "resimulation"
        self.views = Views(config.views, question.features, paired=self.paired)
        self.projector = Projector(encoder.dim, config.projector, batch_norm=True)

    def forward(self, batch: Batch, draws: RandomStream = STILL) -> dict[str, Tensor]:
        """Returns the scalar `loss` and its parts `invariance`, `variance` and `covariance`.

        In evaluation mode it also returns `alignment`.
        """
        both = torch.cat(encoded(self.encoder, self.views(self.neutral(batch), draws)))
        first, second = self.projector(both).chunk(2)
        with torch.autocast(first.device.type, enabled=False):
            first, second = at_least_float32(first), at_least_float32(second)
            together = self.training  # in validation every process has the same events
            invariance = mean_of_all(F.mse_loss(first, second, reduction="sum"), first.numel(), together=together)
            variance = 0.5 * (variance_term(first, together=together) + variance_term(second, together=together))
            covariance = covariance_term(first, together=together) + covariance_term(second, together=together)
            config = self.config
            loss = config.invariance * invariance + config.variance * variance + config.covariance * covariance
        losses = {
            "loss": loss,
            "invariance": invariance.detach(),
            "variance": variance.detach(),
            "covariance": covariance.detach(),
        }
        return losses if self.training else {**losses, "alignment": alignment(first, second).detach()}
