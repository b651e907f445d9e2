"""Soft-drop mass and N-subjettiness of many jets at once, from their constituents.

Soft drop: Larkoski, Marzani, Soyez, Thaler 2014 (arXiv:1402.2657). N-subjettiness: Thaler, Van Tilburg 2011
(arXiv:1011.2268) and 2012 (arXiv:1108.2701). Both by FastJet and its contributed packages, through the array interface
of the Python package.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import awkward as ak
import numpy as np
from numpy.typing import NDArray

from root_gnn.clustering.jets import _fastjet, _without_banner
from root_gnn.typing import AnyFloats

_WHOLE_JET = 100.0  # a radius that puts all constituents of a jet into one


def soft_drop_mass(
    px: AnyFloats,
    py: AnyFloats,
    pz: AnyFloats,
    energy: AnyFloats,
    *,
    counts: NDArray[np.int64],
    radius: float,
    z_cut: float = 0.1,
    beta: float = 0.0,
) -> AnyFloats:
    """Mass `(n_jet,)` in GeV of jets groomed with soft drop; raises MissingExtraError without FastJet.

    Each jet is reclustered with Cambridge/Aachen and declustered until
    min(pt1, pt2) > z_cut (pt1 + pt2) (dR / radius)^beta.

    Args:
        px: x component of the momentum of each constituent, `(n_particle,)`, GeV, jet after jet.
        py: y component, as `px`.
        pz: z component, as `px`.
        energy: energies `(n_particle,)`, GeV.
        counts: number of constituents of each jet, `(n_jet,)`, at least 1.
        radius: the radius of the jets, which the angle of a declustering is divided by.
        z_cut: the smallest share of the softer branch.
        beta: the power of the angle.
    """
    if not len(counts):
        return np.zeros(0)
    sequence = _recluster(px, py, pz, energy, counts)
    groomed = sequence.exclusive_jets_softdrop_grooming(
        njets=1, beta=beta, symmetry_cut=z_cut, symmetry_measure="scalar_z", R0=radius
    )
    mass: AnyFloats = ak.to_numpy(ak.flatten(groomed.msoftdrop, axis=None))
    return np.maximum(mass, 0.0)  # FastJet gives a negative number where rounding makes the square negative


def n_subjettiness(
    px: AnyFloats,
    py: AnyFloats,
    pz: AnyFloats,
    energy: AnyFloats,
    *,
    counts: NDArray[np.int64],
    radius: float,
    n_subjets: Sequence[int] = (1, 2, 3, 4),
) -> AnyFloats:
    """tau_N `(n_jet, len(n_subjets))`, normalised measure with beta 1, one minimisation step from exclusive-kT axes.

    tau_N = sum of pt_i min over axes of dR_i / (radius sum of pt_i); 0 where a jet has no more than N constituents.
    Raises MissingExtraError without FastJet.

    Args:
        px: x component of the momentum of each constituent, `(n_particle,)`, GeV, jet after jet.
        py: y component, as `px`.
        pz: z component, as `px`.
        energy: energies `(n_particle,)`, GeV.
        counts: number of constituents of each jet, `(n_jet,)`, at least 1.
        radius: the radius of the jets, which normalises distances.
        n_subjets: the numbers N of axes.
    """
    if not len(counts):
        return np.zeros((0, len(n_subjets)))
    sequence = _recluster(px, py, pz, energy, counts)
    tau = sequence.njettiness(
        measure_definition="NormalizedMeasure",
        axes_definition="OnePass_KT_Axes",
        njets=list(n_subjets),
        beta=1.0,
        R0=radius,
    )
    return np.asarray(ak.to_numpy(tau), dtype=np.float64).reshape(len(counts), len(n_subjets))


def _recluster(px: AnyFloats, py: AnyFloats, pz: AnyFloats, energy: AnyFloats, counts: NDArray[np.int64]) -> Any:
    """FastJet's cluster sequence with all constituents of each jet in one Cambridge/Aachen jet.

    Args:
        px: x component of the momentum of each constituent, `(n_particle,)`, GeV, jet after jet.
        py: y component, as `px`.
        pz: z component, as `px`.
        energy: energies `(n_particle,)`, GeV.
        counts: number of constituents of each jet, `(n_jet,)`, at least 1.
    """
    fastjet = _fastjet()
    particles = ak.unflatten(ak.zip({"px": px, "py": py, "pz": pz, "E": energy}), counts)
    with _without_banner():
        return fastjet.ClusterSequence(particles, fastjet.JetDefinition(fastjet.cambridge_algorithm, _WHOLE_JET))
