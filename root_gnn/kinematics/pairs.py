"""Pair features, the inputs of a network that belong to two objects: one table of names and formulas for all networks.

An entry of the table is all that a new pair feature needs: recipes accept its name, `Scaling` fits its mean and
standard deviation, the graph network computes it on its edges and, where it is symmetric, transformers in the bias of
attention.
The logarithms of kT, z, delta_r and m^2 are those of Qu, Li, Qian 2022 (arXiv:2202.03772).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from root_gnn.kinematics.object_pairs import (
    EPSILON,
    ObjectPairs,
    pairs_by_pseudorapidity,
    pseudorapidity_kinematics,
)


@dataclass(frozen=True)
class PairFeature:
    """A number that is computed for each pair of objects.

    Args:
        name: the word for it in recipes and in `scaling.json`.
        formula: from the kinematics of the pairs to the feature, `(..., n_pair)`; finite for every finite input.
        symmetric: whether exchanging the two objects leaves it as it is, which the bias of attention needs.
        fixed_scale: a mean and a standard deviation to scale with; None where they are fitted to training data.
    """

    name: str
    formula: Callable[[ObjectPairs], Tensor]
    symmetric: bool = True
    fixed_scale: tuple[float, float] | None = None


def _ln(x: Tensor) -> Tensor:
    return x.clamp(min=EPSILON).log()


KNOWN: dict[str, PairFeature] = {
    feature.name: feature
    for feature in (
        PairFeature("delta_eta", lambda pairs: pairs.delta_eta, symmetric=False),
        PairFeature("delta_phi", lambda pairs: pairs.delta_phi, symmetric=False),
        PairFeature("delta_r", lambda pairs: pairs.delta_r),
        # of a branching: relative transverse momentum in GeV, the softer object's share of pt, squared mass in GeV^2
        PairFeature("ln_kt", lambda pairs: _ln(pairs.softer_pt * pairs.delta_r)),
        PairFeature("ln_z", lambda pairs: _ln(pairs.softer_pt / (pairs.pt_first + pairs.pt_second).clamp(min=EPSILON))),
        PairFeature("ln_m2", lambda pairs: _ln(pairs.mass2())),
        # of order one around -1 for the particles of a jet
        PairFeature("ln_dr", lambda pairs: _ln(pairs.delta_r), fixed_scale=(-1.0, 1.0)),
    )
}
PAIR_FEATURES = ("delta_eta", "delta_phi", "delta_r", "ln_kt", "ln_z", "ln_m2")  # default of the graph network
ATTENTION_FEATURES = ("ln_kt", "ln_z", "ln_dr", "ln_m2")  # default of the transformers, as published


def add_pair_feature(feature: PairFeature) -> None:
    """Makes a feature of your own known by its name; raises ValueError where the name is taken."""
    if feature.name in KNOWN:
        raise ValueError(f"there is a pair feature {feature.name} already")
    KNOWN[feature.name] = feature


def pair_feature(name: str) -> PairFeature:
    """The pair feature of that name; raises ValueError with all names where there is none."""
    if name not in KNOWN:
        raise ValueError(f"there is no pair feature {name!r}; known are: {', '.join(KNOWN)}")
    return KNOWN[name]


def compute_pair_features(pairs: ObjectPairs, names: Sequence[str]) -> Tensor:
    """The features `names` of each pair, `(..., n_pair, n_name)`."""
    return torch.stack([KNOWN[name].formula(pairs) for name in names], dim=-1)


def pair_features(sender: Tensor, receiver: Tensor, names: Sequence[str] = PAIR_FEATURES) -> Tensor:
    """The features `names` of each ordered pair, finite for every input below 1e37: `(..., n_edge, n_name)`.

    `sender` and `receiver` hold pt, eta, phi, energy (GeV, radians), `(..., n_edge, 4)`; shapes may broadcast.
    Differences are sender minus receiver; kT = min(pt) delta_r, z = min(pt) / sum of pt, m2 = (p_s + p_r)^2 in GeV^2.
    """
    objects = (pseudorapidity_kinematics(sender), pseudorapidity_kinematics(receiver))
    return compute_pair_features(pairs_by_pseudorapidity(*objects), names)
