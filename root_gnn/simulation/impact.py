"""Impact parameters of tracks: production vertices extrapolated to the beam line, smeared as by a silicon tracker."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from root_gnn.simulation.detector import Candidates
from root_gnn.simulation.record import EventRecord
from root_gnn.typing import AnyFloats

_BARREL = 1.5


@dataclass(frozen=True)
class ImpactResolution:
    """sigma(d0) and sigma(dz) in mm: constant (+) slope / pt (GeV), for dz times a factor beyond abs(eta) 1.5."""

    d0_constant: float = 0.010
    d0_slope: float = 0.060  # mm GeV
    dz_constant: float = 0.020
    dz_slope: float = 0.090
    dz_endcap_factor: float = 2.0


@dataclass(frozen=True)
class Impact:
    """Transverse and longitudinal impact parameters and their resolutions in mm, `(n_candidate,)`.

    They are 0 for neutral candidates.
    """

    d0: AnyFloats
    d0_error: AnyFloats
    dz: AnyFloats
    dz_error: AnyFloats


def impact_parameters(
    record: EventRecord, candidates: Candidates, resolution: ImpactResolution, rng: np.random.Generator
) -> Impact:
    """Smeared impact parameters of straight lines from the true production vertices, relative to the hard collision.

    d0 = (x py - y px) / pt and dz = z - (x px + y py) pz / pt^2 of the generated particle, as in Delphes (de Favereau
    et al. 2014, arXiv:1307.6346).

    Args:
        record: generated events with vertices.
        candidates: charged candidates.
        resolution: sigma of both, in mm, as a function of pt.
        rng: random numbers.
    """
    tracked = np.flatnonzero(candidates.charge != 0)
    source = candidates.source[tracked]
    x, y, px, py = record.x[source], record.y[source], record.px[source], record.py[source]
    pt = record.pt[source]
    d0_error = np.hypot(resolution.d0_constant, resolution.d0_slope / pt)
    dz_error = np.hypot(resolution.dz_constant, resolution.dz_slope / pt)
    dz_error = np.where(np.abs(record.eta[source]) < _BARREL, dz_error, dz_error * resolution.dz_endcap_factor)
    d0 = (x * py - y * px) / pt + d0_error * rng.standard_normal(len(tracked))
    dz = record.z[source] - (x * px + y * py) * record.pz[source] / pt**2 + dz_error * rng.standard_normal(len(tracked))
    columns = []
    for values in (d0, d0_error, dz, dz_error):
        column = np.zeros(len(candidates.pt))
        column[tracked] = values
        columns.append(column)
    return Impact(*columns)
