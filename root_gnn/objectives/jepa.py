"""Joint-embedding prediction (JEPA): predicts the representation of masked particles, objects or subjets.

I-JEPA (Assran et al. 2023, arXiv:2301.08243) with the tokens of J-JEPA (Katel et al. 2024, arXiv:2412.05333). The
encoder sees only the context. The target encoder, a moving average of it, sees the whole graph and gets no gradient.
The predictor gets the context's representations and the positions of the targets. `preset: paper` is J-JEPA's published
recipe, without the faults of its code; explicit keys override the preset. Event weights are not used.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, final

import torch
import torch.nn.functional as F
from pydantic import Field, model_validator
from torch import Tensor

from root_gnn.config.preset import with_preset
from root_gnn.graph.batch import Batch
from root_gnn.graph.random_stream import RandomStream
from root_gnn.nn.distributed import mean_of_all
from root_gnn.nn.ema import Ema, cosine_momentum
from root_gnn.nn.float32 import at_least_float32
from root_gnn.nn.positional_encoding import FourierAngles, angles_from
from root_gnn.nn.predictor import Predictor, PredictorConfig
from root_gnn.nn.spread import covariance_term, even_features, variance_term
from root_gnn.objectives.parts.drop_globals import DropGlobals
from root_gnn.objectives.parts.masking import MaskedParts, Masking
from root_gnn.objectives.parts.tokens import NodeTokens, SubjetTokens, Tokens, TokensConfig
from root_gnn.protocols import STILL, Encoder, Masked, ObjectiveConfig, Question

Momentum = Annotated[float, Field(ge=0, le=1)]
Weight = Annotated[float, Field(ge=0)]
CENTRE = (0, 1, 2)  # pt, eta, phi of a token
PAPER: dict[str, Any] = {
    "tokens": {"name": "subjets", "at_most": 20},
    "hiding": {"exactly": 6, "hardest": 10, "fewest": 10},
    "loss": "mse",
    "normalise": "none",
    "predictor": {"width": 64, "depth": 3, "n_head": 8},
    "whole": 0.0,
    "variance": 0.0,
    "covariance": 0.0,
}


class Config(ObjectiveConfig):
    """What is masked, how it is predicted and compared, and how the target encoder follows.

    Attributes:
        preset: `corrected`, or J-JEPA as in its `paper`; it sets the defaults of the other keys.
        tokens: what is masked and predicted as one: `nodes`, or `subjets` found by FastJet.
        hiding: which tokens are masked.
        target_sees: the whole `graph`, so that a target knows its surroundings, or the `targets` alone.
        loss: `smooth_l1` or `mse`.
        normalise: how targets are normalised, so that their scale cannot shrink: the values of each `token` to mean 0
            and variance 1, or those of each `feature` over the tokens of the batch, which also removes what all tokens
            share; or `none`.
        momentum: momentum of the target encoder at the start and at the end, along half a cosine.
        whole: weight of a second prediction: the target encoder's representation of the whole graph from the context's.
        variance: weight of VICReg's variance term on the context's representations.
        covariance: weight of VICReg's covariance term.
    """

    preset: Literal["corrected", "paper"] = "corrected"
    tokens: TokensConfig = Field(default_factory=TokensConfig)
    hiding: Masking = Field(default_factory=lambda: Masking(ratio=0.5))
    target_sees: Literal["graph", "targets"] = "graph"
    predictor: PredictorConfig = Field(default_factory=PredictorConfig)
    loss: Literal["smooth_l1", "mse"] = "smooth_l1"
    normalise: Literal["none", "token", "feature"] = "feature"
    momentum: tuple[Momentum, Momentum] = (0.99, 1.0)
    whole: Weight = 2.0
    variance: Weight = 1.0
    covariance: Weight = 0.1

    @model_validator(mode="before")
    @classmethod
    def _preset(cls, given: Any) -> Any:
        return with_preset(PAPER, given)

    def build(self, encoder: Encoder, question: Question) -> Jepa:
        """Builds the objective, which needs no labels; raises MissingExtraError for subjets without FastJet."""
        return Jepa(self, encoder, question)


@final
class Jepa(Masked):
    """Mean distance between predicted and target representations over all masked tokens, of all processes."""

    def __init__(self, config: Config, encoder: Encoder, question: Question) -> None:
        super().__init__()
        self.config, self.encoder = config, encoder
        self.target = Ema(encoder)
        self.neutral = DropGlobals(question)
        self.tokens: NodeTokens | SubjetTokens = config.tokens.build(question.features)
        self.waves = FourierAngles(config.predictor.n_scale)
        size = config.predictor
        self.predictor = Predictor(
            encoder.dim,
            n_place=self.waves.dim,
            n_question=self.waves.dim,
            width=size.width,
            depth=size.depth,
            n_head=size.n_head,
            n_output=encoder.dim,
        )
        self.from_whole = torch.nn.Linear(encoder.dim, encoder.dim) if config.whole > 0.0 else None

    def mask(self, batch: Batch, draws: RandomStream = STILL) -> Tensor:
        """Returns the mask `(total_node,)` that `forward` uses with the same random stream."""
        tokens = self.tokens(batch)
        return tokens.of_nodes(self._chosen(tokens, draws))

    def _chosen(self, tokens: Tokens, draws: RandomStream) -> Tensor:
        return self.config.hiding.chosen(tokens.centres, draws, CENTRE)

    def forward(self, batch: Batch, draws: RandomStream = STILL) -> dict[str, Tensor]:
        """Returns the scalar `loss`, and its terms where there are several."""
        batch = self.neutral(batch)
        tokens = self.tokens(batch)
        hide = self._chosen(tokens, draws)
        shown = MaskedParts.of(batch, tokens.of_nodes(hide))
        encoded = self.encoder(shown.known)
        known = tokens.kept(~hide).pooled(encoded)
        wanted, whole = self._targets(batch, shown, tokens, hide)
        with torch.autocast(batch.nodes.device.type, enabled=False):
            known = known.replace(nodes=at_least_float32(known.nodes), globals=at_least_float32(encoded.globals))
            predicted = self._predicted(known, MaskedParts.of(tokens.centres, hide))
            return self._losses(predicted, wanted, known, whole)

    def _predicted(self, known: Batch, parts: MaskedParts) -> Tensor:
        places = self.waves(*angles_from(parts.known, parts.known, CENTRE))
        questions = self.waves(*angles_from(parts.known, parts.hidden, CENTRE))
        answers: Tensor = self.predictor(known, places, parts.hidden.replace(nodes=questions))
        return answers

    @torch.no_grad()
    def _targets(self, batch: Batch, shown: MaskedParts, tokens: Tokens, hide: Tensor) -> tuple[Tensor, Tensor]:
        """Returns target representations of masked tokens, `(n_masked, dim)`, and of whole graphs, `(n_graph, dim)`."""
        if self.config.target_sees == "graph":
            seen = self.target.network(batch)
            rows = tokens.pooled(seen).nodes[hide]
        else:
            seen = self.target.network(shown.hidden)
            rows = tokens.kept(hide).pooled(seen).nodes
        return self._normalised(at_least_float32(rows)), self._normalised(at_least_float32(seen.globals))

    def _normalised(self, rows: Tensor) -> Tensor:
        if self.config.normalise == "token":
            return F.layer_norm(rows, rows.shape[1:])
        return even_features(rows, together=self.training) if self.config.normalise == "feature" else rows

    def _losses(self, predicted: Tensor, wanted: Tensor, known: Batch, whole: Tensor) -> dict[str, Tensor]:
        loss = self._distance(predicted, wanted)
        terms: dict[str, Tensor] = {}
        if self.from_whole is not None:
            terms["whole"] = self.config.whole * self._distance(self.from_whole(known.globals), whole)
        for name, weight, term in (
            ("variance", self.config.variance, variance_term),
            ("covariance", self.config.covariance, covariance_term),
        ):
            if weight > 0.0:
                terms[name] = weight * (
                    term(known.nodes, together=self.training) + term(known.globals, together=self.training)
                )
        if not terms:
            return {"loss": loss}
        total = loss + torch.stack(list(terms.values())).sum()
        return {"loss": total, "prediction": loss.detach(), **{name: term.detach() for name, term in terms.items()}}

    def _distance(self, predicted: Tensor, wanted: Tensor) -> Tensor:
        distance = F.smooth_l1_loss if self.config.loss == "smooth_l1" else F.mse_loss
        return mean_of_all(distance(predicted, wanted, reduction="sum"), wanted.numel(), together=self.training)

    def after_step(self, progress: float) -> None:
        """Moves the target encoder, once per optimiser step."""
        first, last = self.config.momentum
        self.target.advance(self.encoder, cosine_momentum(first, last, progress))
