"""Masked particle modelling: predicts the features of masked particles.

Golling et al. 2024 (arXiv:2401.13537; 2409.12589). The encoder sees the particles that are not masked, and no
placeholder. A small transformer gets, for each masked particle, its rank in pt or its direction, and predicts its
features (regression) or a token of a codebook (classification). Angles are relative to the hardest particle that is not
masked. Event weights are not used.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any, Literal, final

import torch
import torch.nn.functional as F
from pydantic import Field, model_validator
from torch import Tensor

from root_gnn.config.preset import with_preset
from root_gnn.errors import InputError, suggest
from root_gnn.graph.batch import Batch
from root_gnn.graph.random_stream import RandomStream
from root_gnn.graph.scaling import Affine
from root_gnn.kinematics.angles import wrap_phi
from root_gnn.nn.codebook import Codebook
from root_gnn.nn.distributed import mean_of_all
from root_gnn.nn.float32 import at_least_float32
from root_gnn.nn.inputs import Standardise
from root_gnn.nn.positional_encoding import FourierAngles, angles_from, place_by, rank_encoding
from root_gnn.nn.predictor import Predictor, PredictorConfig
from root_gnn.objectives.parts.drop_globals import DropGlobals
from root_gnn.objectives.parts.masking import MaskedParts, Masking
from root_gnn.protocols import STILL, Encoder, Masked, ObjectiveConfig, Question

RANK_DIM = 16
NOT_ASKED = (
    "energy",
    "eta",
    "phi",
    "type",
    "deta",
    "dphi",
    "pt",
)  # what others say already, or what is asked for by itself
FIT_ROWS = 200_000
PAPER: dict[str, Any] = {"hiding": {"ratio": 0.3}, "asked_by": "rank", "tokens": 512, "types": 0.0}


class Config(ObjectiveConfig):
    """What is masked, and what is predicted from what.

    Attributes:
        asked_by: the predictor's query for a masked particle: its `rank` in pt, or its `place` in (eta, phi), which is
            then not predicted.
        features: columns to predict besides pt and the angles; null for all others of the spec but energy and type.
        tokens: number of tokens of a k-means codebook that stand for the features; 0 to predict the features
            themselves.
        types: weight of predicting the masked particle's type, where there is more than one.
        preset: `corrected`, or the published recipe, `paper`: a token out of 512 for each of 30 % of the particles, by
            their rank. The codebook is fitted by k-means (as in arXiv:2409.12589, where it did as well as the first
            paper's autoencoder).
    """

    preset: Literal["corrected", "paper"] = "corrected"
    hiding: Masking = Field(default_factory=Masking)
    asked_by: Literal["rank", "place"] = "rank"
    features: tuple[str, ...] | None = None
    tokens: Annotated[int, Field(ge=0)] = 0
    types: Annotated[float, Field(ge=0)] = 1.0
    predictor: PredictorConfig = Field(default_factory=PredictorConfig)

    @model_validator(mode="before")
    @classmethod
    def _preset(cls, given: Any) -> Any:
        return with_preset(PAPER, given)

    def build(self, encoder: Encoder, question: Question) -> MaskedParticles:
        """Builds the objective, which needs no labels; raises InputError for a feature that is not in the spec."""
        return MaskedParticles(self, encoder, question)


@final
class MaskedParticles(Masked):
    """Mean over masked particles of smooth L1 or cross-entropy of the token, plus cross-entropy of the type."""

    angle_scale: Tensor

    def __init__(self, config: Config, encoder: Encoder, question: Question) -> None:
        super().__init__()
        self.config, self.encoder, self.neutral = config, encoder, DropGlobals(question)
        features, scaling = question.features, question.scaling
        self.columns = (features.column("pt"), features.column("eta"), features.column("phi"))
        others = (
            [name for name in features.nodes if name not in NOT_ASKED]
            if config.features is None
            else list(config.features)
        )
        names = ["pt", *_known(others, features.nodes)]
        self.scale = Standardise(
            [features.column(name) for name in names], names, {"pt": Affine("log", 0.0, 1.0), **scaling.nodes}
        )
        angles = [scaling.edges.get(name, Affine("linear", 0.0, 1.0)).std for name in ("delta_eta", "delta_phi")]
        self.register_buffer("angle_scale", torch.tensor(angles))
        self.waves = FourierAngles(config.predictor.n_scale)
        by_rank = config.asked_by == "rank"
        n_value = len(names) + (2 if by_rank else 0)
        self.codebook = Codebook(config.tokens, n_value) if config.tokens else None
        self.type_column = (
            features.column("type") if config.types > 0 and features.n_type > 1 and "type" in features.nodes else None
        )
        n_type = features.n_type if self.type_column is not None else 0
        self.n_answer = config.tokens or n_value
        size = config.predictor
        self.predictor = Predictor(
            encoder.dim,
            n_place=self.waves.dim,
            n_question=RANK_DIM if by_rank else self.waves.dim,
            width=size.width,
            depth=size.depth,
            n_head=size.n_head,
            n_output=self.n_answer + n_type,
        )

    def mask(self, batch: Batch, draws: RandomStream = STILL) -> Tensor:
        """Returns the mask `(total_node,)` that `forward` uses with the same random stream."""
        return self.config.hiding.chosen(batch, draws, self.columns)

    def forward(self, batch: Batch, draws: RandomStream = STILL) -> dict[str, Tensor]:
        """Returns the scalars `loss`, `features` and, where types are predicted, `types`."""
        batch = self.neutral(batch)
        hide = self.mask(batch, draws)
        parts = MaskedParts.of(batch, hide)
        encoded = self.encoder(parts.known)
        with torch.autocast(batch.nodes.device.type, enabled=False):
            encoded = encoded.replace(nodes=at_least_float32(encoded.nodes), globals=at_least_float32(encoded.globals))
            places = self.waves(*angles_from(parts.known, parts.known, self.columns))
            answers = self.predictor(encoded, places, parts.hidden.replace(nodes=self._questions(batch, hide, parts)))
            return self._losses(answers, parts)

    def _questions(self, batch: Batch, hide: Tensor, parts: MaskedParts) -> Tensor:
        """Returns the predictor's query for each masked particle, `(n_masked, n_question)`."""
        if self.config.asked_by == "rank":
            return rank_encoding(place_by(-batch.nodes[:, self.columns[0]], batch)[hide], RANK_DIM)
        waves: Tensor = self.waves(*angles_from(parts.known, parts.hidden, self.columns))
        return waves

    def _values(self, parts: MaskedParts) -> Tensor:
        """Returns the scaled features of masked particles, `(n_masked, n_value)`; angles come last."""
        values: Tensor = self.scale(parts.hidden.nodes)
        if self.config.asked_by == "place":
            return values
        angles = torch.stack(angles_from(parts.known, parts.hidden, self.columns), 1) / self.angle_scale
        return torch.cat([values, angles], 1)

    def _losses(self, answers: Tensor, parts: MaskedParts) -> dict[str, Tensor]:
        n_hidden = parts.hidden.total_node
        values, own = self._values(parts), answers[:, : self.n_answer]
        if self.codebook is not None:
            features = mean_of_all(
                F.cross_entropy(own, self.codebook(values), reduction="sum"), n_hidden, together=self.training
            )
        else:
            error = own - values
            if self.config.asked_by == "rank":  # a full turn in phi is no error
                error = torch.cat(
                    [error[:, :-1], wrap_phi(error[:, -1:] * self.angle_scale[1]) / self.angle_scale[1]], 1
                )
            total = F.smooth_l1_loss(error, torch.zeros_like(error), reduction="sum")
            features = mean_of_all(total, error.numel(), together=self.training)
        if self.type_column is None:
            return {"loss": features, "features": features.detach()}
        kind = parts.hidden.nodes[:, self.type_column].round().long().clamp(0, answers.shape[1] - self.n_answer - 1)
        types = mean_of_all(
            F.cross_entropy(answers[:, self.n_answer :], kind, reduction="sum"), n_hidden, together=self.training
        )
        return {"loss": features + self.config.types * types, "features": features.detach(), "types": types.detach()}

    def prepare(self, batches: Iterable[Batch]) -> None:
        """Fits the codebook, where there is one, to the masked particles of some batches."""
        if self.codebook is None:
            return
        rows, n_row = [], 0
        for batch in batches:
            rows.append(self._values(MaskedParts.of(batch, self.mask(batch))))
            n_row += len(rows[-1])
            if n_row >= FIT_ROWS:
                break
        self.codebook.fit(torch.cat(rows))


def _known(names: list[str], columns: tuple[str, ...]) -> list[str]:
    for name in names:
        if name not in columns:
            raise InputError(
                f"objective masked_particles is to predict {name}, which the spec has no column "
                f"of{suggest(name, columns)}"
            )
    return names
