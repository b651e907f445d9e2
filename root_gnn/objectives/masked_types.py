"""Masked type prediction: the kind of a masked particle from its momentum and the other particles.

The encoder sees the particles that are not masked. For each masked one the predictor gets its momentum (the angles
relative to the hardest particle that is not masked, and the logarithm of pt) and nothing that reveals its kind. Event
weights are not used.
"""

from __future__ import annotations

from typing import final

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor

from root_gnn.errors import InputError, suggest
from root_gnn.graph.batch import Batch
from root_gnn.graph.random_stream import RandomStream
from root_gnn.graph.scaling import Affine
from root_gnn.nn.distributed import mean_of_all
from root_gnn.nn.float32 import at_least_float32
from root_gnn.nn.inputs import Standardise
from root_gnn.nn.positional_encoding import FourierAngles, angles_from
from root_gnn.nn.predictor import Predictor, PredictorConfig
from root_gnn.objectives.parts.drop_globals import DropGlobals
from root_gnn.objectives.parts.masking import MaskedParts, Masking
from root_gnn.protocols import STILL, Encoder, Masked, ObjectiveConfig, Question

FLAG = "is"  # columns such as isPhoton say what a particle is


class Config(ObjectiveConfig):
    """What is masked, and which columns hold the kind of a particle.

    Attributes:
        flags: columns of which the largest is the kind; where none is above 0.5 it is a further kind. Null: all columns
            whose names start with `is` and a capital, or the column `type` where there are none.
    """

    hiding: Masking = Field(default_factory=Masking)
    flags: tuple[str, ...] | None = None
    predictor: PredictorConfig = Field(default_factory=PredictorConfig)

    def build(self, encoder: Encoder, question: Question) -> MaskedTypes:
        """Builds the objective, which needs no labels; raises InputError where nodes are of one kind only."""
        return MaskedTypes(self, encoder, question)


@final
class MaskedTypes(Masked):
    """Mean cross-entropy over masked particles; every kind counts as often as it occurs."""

    def __init__(self, config: Config, encoder: Encoder, question: Question) -> None:
        super().__init__()
        self.config, self.encoder, self.neutral = config, encoder, DropGlobals(question)
        features = question.features
        flags = [name for name in features.nodes if name.startswith(FLAG) and name[len(FLAG) : len(FLAG) + 1].isupper()]
        if config.flags is not None:
            flags = list(config.flags)
        for name in flags:
            if name not in features.nodes:
                raise InputError(
                    f"objective masked_types: the spec has no column for the flag {name}{suggest(name, features.nodes)}"
                )
        if not flags and (features.n_type < 2 or "type" not in features.nodes):
            raise InputError(
                "objective masked_types needs several types of nodes, or columns such as "
                "isPhoton that tell them apart; "
                f"the spec has {', '.join(features.nodes)}"
            )
        self.flags = [features.column(name) for name in flags]
        self.type_column = None if flags else features.column("type")
        self.n_kind = len(flags) + 1 if flags else features.n_type
        self.columns = (features.column("pt"), features.column("eta"), features.column("phi"))
        self.scale = Standardise([self.columns[0]], ["pt"], {"pt": Affine("log", 0.0, 1.0), **question.scaling.nodes})
        self.waves = FourierAngles(config.predictor.n_scale)
        size = config.predictor
        self.predictor = Predictor(
            encoder.dim,
            n_place=self.waves.dim,
            n_question=self.waves.dim + 1,
            width=size.width,
            depth=size.depth,
            n_head=size.n_head,
            n_output=self.n_kind,
        )

    def mask(self, batch: Batch, draws: RandomStream = STILL) -> Tensor:
        """Returns the mask `(total_node,)` that `forward` uses with the same random stream."""
        return self.config.hiding.chosen(batch, draws, self.columns)

    def forward(self, batch: Batch, draws: RandomStream = STILL) -> dict[str, Tensor]:
        """Returns the scalar `loss`."""
        batch = self.neutral(batch)
        parts = MaskedParts.of(batch, self.mask(batch, draws))
        encoded = self.encoder(parts.known)
        with torch.autocast(batch.nodes.device.type, enabled=False):
            encoded = encoded.replace(nodes=at_least_float32(encoded.nodes), globals=at_least_float32(encoded.globals))
            places = self.waves(*angles_from(parts.known, parts.known, self.columns))
            angles = self.waves(*angles_from(parts.known, parts.hidden, self.columns))
            questions = torch.cat([angles, self.scale(parts.hidden.nodes)], dim=1)
            answers = self.predictor(encoded, places, parts.hidden.replace(nodes=questions))
            total = F.cross_entropy(answers, self.kinds(parts.hidden), reduction="sum")
            return {"loss": mean_of_all(total, parts.hidden.total_node, together=self.training)}

    def kinds(self, batch: Batch) -> Tensor:
        """Returns the kind of each node, `(total_node,)`, int64."""
        if self.type_column is not None:
            return batch.nodes[:, self.type_column].round().long().clamp(0, self.n_kind - 1)
        flags = torch.cat([batch.nodes[:, self.flags], batch.nodes.new_full((batch.total_node, 1), 0.5)], dim=1)
        return flags.argmax(dim=1)
