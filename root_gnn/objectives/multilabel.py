"""Existence, pt, eta and phi of the heavy particles of an event (Ho et al. 2024, arXiv:2412.10665).

The published loss is not known in detail. This one is binary cross-entropy for the existence plus, for the particles
that exist, a Huber loss on ln(pt / 100 GeV) and eta / 2 and `1 - cos` of the error in azimuth. Azimuths are predicted
relative to the event's hardest object, since an encoder may not see absolute ones.
"""

from __future__ import annotations

from typing import Annotated, Literal, final

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor

from root_gnn.config.plugins import Family
from root_gnn.errors import InputError
from root_gnn.graph.batch import Batch
from root_gnn.graph.features import Features
from root_gnn.graph.segment import segment_max
from root_gnn.nn.distributed import mean_of_all
from root_gnn.protocols import Encoder, Head, HeadConfig, ObjectiveConfig, Question, Supervised

PT_SCALE, ETA_SCALE = 100.0, 2.0  # GeV, 1: numbers of order one for heavy particles at the LHC
QUANTITIES = ("exists", "pt", "eta", "phi")
OUTPUTS_PER_SLOT = 5  # existence, ln pt, eta, cos and sin of the relative azimuth


class Config(ObjectiveConfig):
    """One slot for each particle.

    Attributes:
        head: the head.
        slots: names of the particles; the spec has truth columns such as `higgs_exists` and `higgs_pt`.
        kinematics: weight of the kinematic loss relative to that of the existence.
    """

    head: Annotated[HeadConfig, Family("heads")]
    slots: tuple[str, ...] = ("higgs", "top1", "top2", "W", "Z")
    kinematics: Annotated[float, Field(ge=0)] = 1.0

    def build(self, encoder: Encoder, question: Question) -> Multilabel:
        """Builds the objective; raises InputError where the spec or a file has no truth for a slot."""
        wanted = [f"{slot}_{quantity}" for slot in self.slots for quantity in QUANTITIES]
        missing = [name for name in wanted if name not in question.truth]
        if missing:
            raise InputError(
                f"objective multilabel needs the truth columns {', '.join(missing)}, which the "
                "spec does not list under truth, or a file lacks"
            )
        head = self.head.build(encoder.dim, OUTPUTS_PER_SLOT * len(self.slots))
        return Multilabel(encoder, head, self.slots, self.kinematics, question.features)


@final
class Multilabel(Supervised):
    """Sum of the two terms, each a weighted mean over the events and slots that it applies to.

    Args:
        encoder: the encoder.
        head: the head, with five outputs for each slot.
        slots: names of the particles.
        kinematics: weight of the kinematic loss.
        features: names of the columns of the batches.
    """

    link: Literal["softmax", "sigmoid"] = "sigmoid"

    def __init__(
        self, encoder: Encoder, head: Head, slots: tuple[str, ...], kinematics: float, features: Features
    ) -> None:
        super().__init__()
        self.encoder, self.head, self.slots, self.kinematics = encoder, head, slots, kinematics
        self.pt_column, self.phi_column = features.column("pt"), features.column("phi")

    def logits_of(self, outputs: Tensor) -> Tensor:
        """Returns the logits of the existence of each slot's particle, `(n_graph, n_slot)`."""
        return self._slots(outputs)[:, :, 0]

    def _slots(self, outputs: Tensor) -> Tensor:
        return outputs.view(outputs.shape[0], len(self.slots), OUTPUTS_PER_SLOT)

    def outputs(self) -> tuple[str, ...]:
        """Returns the labels that the logits predict: `higgs_exists` and so on."""
        return tuple(f"{slot}_exists" for slot in self.slots)

    def _truth(self, batch: Batch, quantity: str) -> Tensor:
        return torch.stack([batch.labels[f"{slot}_{quantity}"] for slot in self.slots], dim=1)

    def losses(self, outputs: Tensor, batch: Batch) -> dict[str, Tensor]:
        """Returns the scalars `loss`, `existence` and `kinematics`."""
        outputs = self._slots(outputs)
        exists = self._truth(batch, "exists")
        weights = torch.ones_like(exists) if batch.weights is None else batch.weights.unsqueeze(1).expand_as(exists)
        each = weights * F.binary_cross_entropy_with_logits(outputs[:, :, 0], exists, reduction="none")
        n_all = None if batch.n_graph_all is None else batch.n_graph_all * len(self.slots)
        existence = mean_of_all(each.sum(), each.numel(), together=self.training, n_all=n_all)
        ln_pt = torch.log(self._truth(batch, "pt").clamp(min=1.0) / PT_SCALE)
        error = F.huber_loss(outputs[:, :, 1], ln_pt, reduction="none")
        error = error + F.huber_loss(
            outputs[:, :, 2], self._truth(batch, "eta").clamp(-10, 10) / ETA_SCALE, reduction="none"
        )
        angle = self._truth(batch, "phi") - hardest_phi(batch, self.pt_column, self.phi_column).unsqueeze(1)
        direction = F.normalize(outputs[:, :, 3:5], dim=2, eps=1e-6)
        error = error + 1.0 - direction[:, :, 0] * torch.cos(angle) - direction[:, :, 1] * torch.sin(angle)
        kinematics = mean_of_all((weights * exists * error).sum(), exists.sum(), together=self.training)
        return {
            "loss": existence + self.kinematics * kinematics,
            "existence": existence.detach(),
            "kinematics": kinematics.detach(),
        }


def hardest_phi(batch: Batch, pt_column: int, phi_column: int) -> Tensor:
    """Returns the azimuth of each graph's node of largest pt in radians, `(n_graph,)`; 0 for a graph without nodes."""
    pt = batch.nodes[:, pt_column]
    is_hardest = pt >= segment_max(pt.unsqueeze(1), batch.n_node)[batch.graph_index, 0]
    phi = batch.nodes[:, phi_column]
    first = torch.where(is_hardest, torch.arange(batch.total_node, device=pt.device), batch.total_node)
    pick = torch.full((batch.n_graph,), batch.total_node, device=pt.device, dtype=torch.int64)
    pick = pick.scatter_reduce(0, batch.graph_index, first, "amin")
    return torch.cat([phi, phi.new_zeros(1)])[pick]
