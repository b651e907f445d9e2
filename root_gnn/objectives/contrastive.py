"""Contrastive learning of two views of an event or jet (JetCLR, Dillon et al. 2021, arXiv:2108.04253).

Event weights are not used: without labels there is no class to balance, and a negative weight would turn a pair around.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal, final

from pydantic import Field, model_validator
from torch import Tensor

from root_gnn.config.preset import with_preset
from root_gnn.graph.batch import Batch
from root_gnn.graph.random_stream import RandomStream
from root_gnn.nn.nt_xent import alignment, nt_xent
from root_gnn.nn.projector import Projector
from root_gnn.objectives.parts.drop_globals import DropGlobals
from root_gnn.objectives.parts.views import Pairs, TwoChains, Views, encoded
from root_gnn.protocols import STILL, Encoder, Objective, ObjectiveConfig, Question

Width = Annotated[int, Field(ge=1)]
PAPER: dict[str, Any] = {
    "views": [
        ["rotate", "translate"],
        [
            "rotate",
            {"name": "collinear_split", "fraction": 1.0, "max_nodes": 50},
            {"name": "smear", "scale": 0.1},
            "translate",
        ],
    ],
    "temperature": 0.1,
    "positive_in_denominator": False,
    "projector": (1024, 1024),
}


class Config(ObjectiveConfig):
    """NT-Xent loss between two views of each graph, after a projector that is used in training only.

    Attributes:
        pairs: `views`, two augmented copies of each graph, or `resimulation`, with its re-simulation as the second
            view.
        positive_in_denominator: whether the sum in the denominator includes the positive pair, as in JetCLR's code;
            false as in the formula of its paper.
        preset: `paper` is JetCLR on jets: its views, its formula, and its projector in a width that is a multiple of 8.
            Explicit keys override the preset.
    """

    preset: Literal["corrected", "paper"] = "corrected"
    pairs: Pairs = "views"
    views: TwoChains = ("rotate_phi",), ("rotate_phi", "reflect_eta")  # type: ignore[assignment]
    temperature: Annotated[float, Field(gt=0)] = 0.1
    positive_in_denominator: bool = True
    projector: Annotated[tuple[Width, ...], Field(min_length=1)] = (128, 128)

    @model_validator(mode="before")
    @classmethod
    def _preset(cls, given: Any) -> Any:
        return with_preset(PAPER, given)

    def build(self, encoder: Encoder, question: Question) -> Contrastive:
        """Builds the objective, which needs no labels."""
        return Contrastive(self, encoder, question)


@final
class Contrastive(Objective):
    """Mean NT-Xent loss over both views of all graphs, and over all processes where several train."""

    measures: ClassVar[tuple[str, ...]] = ("alignment",)

    def __init__(self, config: Config, encoder: Encoder, question: Question) -> None:
        super().__init__()
        self.encoder, self.neutral = encoder, DropGlobals(question)
        self.paired = config.pairs == "resimulation"
        self.views = Views(config.views, question.features, paired=self.paired)
        self.projector = Projector(encoder.dim, config.projector)
        self.temperature, self.positive_in_denominator = config.temperature, config.positive_in_denominator

    def forward(self, batch: Batch, draws: RandomStream = STILL) -> dict[str, Tensor]:
        """Returns the scalar `loss` and, in evaluation mode, `alignment`."""
        first, second = (self.projector(view) for view in encoded(self.encoder, self.views(self.neutral(batch), draws)))
        loss = nt_xent(
            first,
            second,
            temperature=self.temperature,
            positive_in_denominator=self.positive_in_denominator,
            gather=self.training,  # in validation every process has the same events, and none may be its own negative
        )
        return {"loss": loss} if self.training else {"loss": loss, "alignment": alignment(first, second).detach()}
