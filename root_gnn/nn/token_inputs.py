"""Inputs of networks over particles: kinematics in coordinates of a jet or of an event, and all other node columns."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

from root_gnn.errors import InputError, suggest
from root_gnn.graph.batch import Batch
from root_gnn.graph.features import Features
from root_gnn.graph.scaling import SMALLEST, Affine, Scaling
from root_gnn.graph.segment import segment_sum
from root_gnn.kernels.batch_norm import batch_normed
from root_gnn.kernels.linear import Linear
from root_gnn.kinematics.angles import delta_phi
from root_gnn.nn.inputs import Standardise

SUBJET = "subjet"  # the column with the number of a constituent's subjet: a label, not a quantity
Coordinates = Literal["jet", "event"]

# Centre and inverse width of inputs relative to the jet, and scales of pt and energy where none was fitted; all of
# arXiv:2202.03772.
RELATIVE = {
    "log_pt_rel": (-4.7, 0.7),
    "log_energy_rel": (-4.7, 0.7),
    "delta_r": (0.2, 4.0),
    "delta_eta": (0.0, 1.0),
    "delta_phi": (0.0, 1.0),
}
ABSOLUTE = {"pt": Affine("log", 1.7, 1 / 0.7), "energy": Affine("log", 2.0, 1 / 0.7)}


class TokenInputs(nn.Module):
    """Inputs of each node, `dim` of them.

    Coordinates `jet` give the logarithms of pt and energy, the same divided by the jet's sums, and the angles to the
    jet's axis, but neither eta nor phi themselves. Coordinates `event` give the logarithms of pt and energy, and eta,
    but not phi, so that rotating an event about the beam changes nothing. Both give every other column, scaled as
    fitted, and the type as one-hot columns, but never the number of a subjet. `names` are the names of the inputs in
    order; `chosen` selects and reorders them. Raises InputError for an unknown name.
    """

    centre: Tensor
    width: Tensor

    def __init__(
        self, features: Features, scaling: Scaling, *, coordinates: Coordinates, chosen: tuple[str, ...] | None = None
    ) -> None:
        super().__init__()
        left_out = {"phi", "type", SUBJET} | ({"eta"} if coordinates == "jet" else set())
        names = [name for name in features.nodes if name not in left_out]
        self.scale = Standardise([features.column(name) for name in names], names, {**ABSOLUTE, **scaling.nodes})
        self.type_column = features.column("type") if "type" in features.nodes else None
        self.kinematic = [features.column(name) for name in ("pt", "eta", "phi", "energy")]
        self.relative = coordinates == "jet"
        self.n_type = features.n_type if self.type_column is not None else 0
        self.register_buffer("centre", torch.tensor([centre for centre, _ in RELATIVE.values()]))
        self.register_buffer("width", torch.tensor([width for _, width in RELATIVE.values()]))
        relative = tuple(RELATIVE) if self.relative else ()
        every = (
            *(f"log_{name}" if name in ABSOLUTE else name for name in names),
            *relative,
            *(f"type_{k}" for k in range(self.n_type)),
        )
        unknown = [name for name in chosen or () if name not in every]
        if unknown:
            raise InputError(
                f"there is no input {unknown[0]!r} of a network in coordinates of {coordinates}s"
                f"{suggest(unknown[0], every)}"
            )
        self.names = every if chosen is None else chosen
        self.chosen = None if chosen is None else [every.index(name) for name in chosen]
        self.dim = len(self.names)

    def forward(self, batch: Batch) -> Tensor:
        """Physical features `nodes (total_node, node_dim)` to inputs `(total_node, dim)`."""
        parts = [self.scale(batch.nodes)]
        if self.relative:
            parts.append((relative_to_jet(batch, self.kinematic) - self.centre) * self.width)
        if self.type_column is not None:
            kind = batch.nodes[:, self.type_column : self.type_column + 1].round()
            parts.append(
                (kind == torch.arange(self.n_type, device=kind.device, dtype=kind.dtype)).to(batch.nodes.dtype)
            )
        inputs = torch.cat(parts, dim=1)
        return inputs if self.chosen is None else inputs[:, self.chosen]


def relative_to_jet(batch: Batch, kinematic: list[int]) -> Tensor:
    """The inputs `RELATIVE` of each node, `(total_node, 5)`; `kinematic` are the indices of pt, eta, phi, energy.

    Momenta are divided by the scalar sums of the graph; angles are relative to the pt-weighted centre, in phi to that
    of the unit vectors.
    """
    pt, eta, phi, energy = batch.nodes[:, kinematic].unbind(1)
    pt, energy = pt.clamp(min=SMALLEST), energy.clamp(min=SMALLEST)
    sums = segment_sum(
        torch.stack([pt, energy, pt * eta, pt * phi.cos(), pt * phi.sin()], 1), batch.graph_index, batch.n_graph
    )
    pt_sum, energy_sum, eta_sum, x, y = sums[batch.graph_index].unbind(1)
    # where particles are back to back the sum has no direction, and the arctangent no gradient
    x = torch.where(x.abs() + y.abs() > 0, x, 1.0)
    deta, dphi = eta - eta_sum / pt_sum, delta_phi(phi, torch.atan2(y, x))
    dr = (deta * deta + dphi * dphi).clamp(min=1e-16).sqrt()
    return torch.stack([torch.log(pt / pt_sum), torch.log(energy / energy_sum), dr, deta, dphi], dim=1)


class TokenEmbedding(nn.Module):
    """Inputs to the width of the blocks: LayerNorm, linear, GELU for each of `widths`.

    Args:
        n_input: number of inputs.
        widths: width of each layer.
        batch_norm: whether a batch norm on the inputs comes first, as published.
    """

    def __init__(self, n_input: int, widths: tuple[int, ...], *, batch_norm: bool = False) -> None:
        super().__init__()
        self.input_norm = nn.BatchNorm1d(n_input) if batch_norm else None
        before = (n_input, *widths[:-1])
        layers = [[nn.LayerNorm(a), Linear(a, b), nn.GELU()] for a, b in zip(before, widths, strict=True)]
        self.layers = nn.Sequential(*(part for layer in layers for part in layer))

    def forward(self, rows: Tensor) -> Tensor:
        """`(n_row, n_input)` to `(n_row, widths[-1])`."""
        if self.input_norm is not None:
            rows = batch_normed(self.input_norm, rows)
        out: Tensor = self.layers(rows)
        return out
