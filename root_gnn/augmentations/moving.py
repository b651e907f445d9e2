"""Moving nodes in the (eta, phi) plane: what is measured from there, and what has to follow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import final

import torch
from torch import Tensor

from root_gnn.graph.batch import Batch
from root_gnn.graph.features import Features
from root_gnn.graph.segment import segment_max, segment_sum
from root_gnn.kinematics.angles import delta_phi, wrap_phi

WEIGHTLESS = 1e-12  # GeV; nodes of no pt at all have the centre of their positions


@final
class Plane:
    """The columns `pt eta phi energy`, and `deta dphi` where there are any; arithmetic is in float64."""

    def __init__(self, features: Features) -> None:
        self.pt, self.eta, self.phi, self.energy = (features.column(name) for name in ("pt", "eta", "phi", "energy"))
        self.deta = features.column("deta") if "deta" in features.nodes else None
        self.dphi = features.column("dphi") if "dphi" in features.nodes else None

    def centre(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """The pt-weighted means of eta and of phi: `(n_graph,)` each, zero for a graph without nodes.

        Azimuths are averaged around the direction of the sum of their unit vectors, since phi closes.
        """
        weight = _column(batch, self.pt).clamp(min=WEIGHTLESS)
        eta, phi = _column(batch, self.eta), _column(batch, self.phi)
        rows = torch.stack([weight, weight * eta, weight * phi.cos(), weight * phi.sin()], dim=1)
        total, eta_sum, x, y = segment_sum(rows, batch.graph_index, batch.n_graph).unbind(1)
        total, direction = total.clamp(min=WEIGHTLESS), torch.atan2(y, x)
        around = (weight * delta_phi(phi, direction[batch.graph_index])).unsqueeze(1)
        phi_sum = segment_sum(around, batch.graph_index, batch.n_graph).squeeze(1)
        return eta_sum / total, wrap_phi(direction + phi_sum / total)

    def offsets(self, batch: Batch, eta: Tensor, phi: Tensor) -> tuple[Tensor, Tensor]:
        """Each node's eta and phi from the points `eta (n_graph,)`, `phi (n_graph,)`: `(total_node,)` each."""
        return (
            _column(batch, self.eta) - eta[batch.graph_index],
            delta_phi(_column(batch, self.phi), phi[batch.graph_index]),
        )

    def extent(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Largest minus smallest eta, and phi around the centre: `(n_graph,)` each, zero for one node and none."""
        x, y = self.offsets(batch, *self.centre(batch))
        ends = segment_max(torch.stack([x, -x, y, -y], dim=1), batch.n_node)
        return ends[:, 0] + ends[:, 1], ends[:, 2] + ends[:, 3]

    def moved(self, batch: Batch, d_eta: Tensor, d_phi: Tensor) -> Tensor:
        """Returns nodes moved by `d_eta (total_node,)` and `d_phi (total_node,)`, float64; zeros change no bit.

        pt and mass stay, and the energy follows eta. `deta` and `dphi` follow too: they are measured from where the
        axis was.
        """
        dtype = batch.nodes.dtype
        nodes = batch.nodes.clone()
        eta, phi = _column(batch, self.eta), _column(batch, self.phi)
        nodes[:, self.eta] = (eta + d_eta).to(dtype)
        nodes[:, self.phi] = torch.where(d_phi == 0.0, phi, wrap_phi(phi + d_phi)).to(dtype)
        nodes[:, self.energy] = torch.where(
            nodes[:, self.eta] == batch.nodes[:, self.eta],
            batch.nodes[:, self.energy],
            self._energy(batch, nodes[:, self.eta].double()).to(dtype),
        )
        if self.deta is not None:
            side = self._side(batch, self.deta)[batch.graph_index]
            nodes[:, self.deta] = (_column(batch, self.deta) + side * d_eta).to(dtype)
        if self.dphi is not None:
            before = _column(batch, self.dphi)
            nodes[:, self.dphi] = torch.where(d_phi == 0.0, before, wrap_phi(before + d_phi)).to(dtype)
        return nodes

    def _energy(self, batch: Batch, eta: Tensor) -> Tensor:
        pt, energy = _column(batch, self.pt), _column(batch, self.energy)
        before = pt * _column(batch, self.eta).cosh()
        mass_squared = ((energy - before) * (energy + before)).clamp(min=0.0)
        return ((pt * eta.cosh()).square() + mass_squared).sqrt()

    def _side(self, batch: Batch, deta: int) -> Tensor:
        """Returns -1 for graphs whose `deta` falls as eta rises, else 1, `(n_graph,)`.

        JetClass defines `deta` with this sign for jets at negative eta.
        """
        pair = torch.stack([_column(batch, self.eta), _column(batch, deta)], dim=1)
        count = batch.n_node.clamp(min=1).unsqueeze(1)
        pair = pair - (segment_sum(pair, batch.graph_index, batch.n_graph) / count)[batch.graph_index]
        together = segment_sum(pair.prod(dim=1, keepdim=True), batch.graph_index, batch.n_graph).squeeze(1)
        return torch.where(together < 0.0, -1.0, 1.0).double()


def truth_directions(labels: Mapping[str, Tensor]) -> list[tuple[str, str]]:
    """The labels that give a direction: the names `*_eta` and `*_phi` of one object."""
    stems = [name.removesuffix("_eta") for name in labels if name.endswith("_eta")]
    return [(f"{stem}_eta", f"{stem}_phi") for stem in stems if f"{stem}_phi" in labels]


def _column(batch: Batch, column: int) -> Tensor:
    """A column in float64 and of its own: functions of strided and of contiguous numbers may differ in the last bit."""
    return batch.nodes[:, column].double().contiguous()
