#!/usr/bin/env python3
"""What pile-up does to jets and missing transverse momentum.

The same events without and with it, as a table for docs/simulation.md.

root-gnn simulate --process ttbar --events 250 --out DIR/0
for mean in 20 40 80; do root-gnn simulate --process ttbar --events 250 --pileup $mean --out DIR/$mean; done
tools/pileup_table.py --quiet-events DIR/0/ttbar.root --crowded DIR/20/ttbar.root DIR/40/ttbar.root DIR/80/ttbar.root
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import uproot

NEAR = 0.3
CENTRAL = 2.5
HEADER = (
    "collisions",
    "jets, abs(eta) < 2.5",
    "jets beyond",
    "new jets",
    "lost jets",
    "jet pt, ratio",
    "jet pt, width",
    "e and mu",
    "missing pt, width of change [GeV]",
)


def events(path: Path) -> ak.Array:
    with uproot.open(path) as file:
        return file["Events"].arrays()


def jets(chosen: ak.Array) -> ak.Array:
    return ak.zip({name: chosen[f"jet_{name}"] for name in ("pt", "eta", "phi")})


def nearest(some: ak.Array, others: ak.Array) -> ak.Array:
    """For each of `some` the nearest of `others` in its event, None where none is near."""
    one, two = ak.unzip(ak.cartesian([some, others], nested=True))
    distance = np.hypot(one.eta - two.eta, (one.phi - two.phi + np.pi) % (2 * np.pi) - np.pi)
    place = ak.argmin(distance, axis=-1, keepdims=True)
    return ak.mask(ak.firsts(two[place], axis=-1), ak.fill_none(ak.firsts(distance[place], axis=-1) < NEAR, False))


def with_error(values: Any, digits: int) -> str:
    values = np.asarray(values, dtype=float)
    return f"{values.mean():.{digits}f} +- {values.std() / np.sqrt(len(values)):.{digits}f}"


def row(quiet: ak.Array, crowded: ak.Array) -> list[str]:
    """Figures of the events that both files hold.

    The generated top tells which, since event numbers count what passes the preselection.
    """
    _, first, second = np.intersect1d(ak.to_numpy(quiet.top1_pt), ak.to_numpy(crowded.top1_pt), return_indices=True)
    before, after = quiet[first], crowded[second]
    old, new = jets(before), jets(after)
    partner = nearest(old, new)
    central = old[abs(old.eta) < CENTRAL]
    ratio = ak.to_numpy(ak.drop_none(ak.flatten(nearest(central, new).pt / central.pt)))
    change = np.concatenate(
        [ak.to_numpy(after.met_met * f(after.met_phi) - before.met_met * f(before.met_phi)) for f in (np.cos, np.sin)]
    )
    count = "0" if "n_pileup" not in after.fields else f"{ak.mean(after.n_pileup):.0f}"
    inside = ak.sum(abs(new.eta) < CENTRAL, axis=1)
    n_new, n_lost = (ak.sum(ak.is_none(one, axis=1), axis=1) for one in (nearest(new, old), partner))
    counts = [with_error(number, 2) for number in (inside, ak.num(new) - inside, n_new, n_lost)]
    width = 0.5 * np.diff(np.quantile(ratio, (0.16, 0.84)))[0]
    return [
        count,
        *counts,
        f"{np.median(ratio):.3f}",
        f"{width:.3f}",
        with_error(after.nele + after.nmu, 3),
        f"{change.std():.1f}",
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quiet-events", type=Path, required=True, help="the file without pile-up")
    parser.add_argument("--crowded", type=Path, nargs="+", required=True, help="files of the same events with it")
    arguments = parser.parse_args()
    quiet = events(arguments.quiet_events)
    lines = [
        HEADER,
        ["---"] * len(HEADER),
        row(quiet, quiet),
        *(row(quiet, events(path)) for path in arguments.crowded),
    ]
    print("\n".join(f"| {' | '.join(line)} |" for line in lines))


if __name__ == "__main__":
    main()
