"""A ROOT file with branch names and units of its own, described by a spec, and turned into graphs.

The file here is made on the spot: muons and jets in MeV, the missing transverse momentum as x and y components. To have
a spec drafted for a file that you have, use `root-gnn inspect FILE --draft-spec my.yaml`.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import uproot

import root_gnn as rg

SPEC = """\
name: my_ntuple
source: {name: root, tree: nominal}
nodes:
  muon: {type: 0, unit: MeV, features: {pt: mu_pt, eta: mu_eta, phi: mu_phi}}
  jet:
    type: 1
    unit: MeV
    features: {pt: jet_pt, eta: jet_eta, phi: jet_phi, energy: jet_e}
    select: pt > 25  # in GeV, as everything is once it is read
  met: {type: 2, single: true, unit: MeV, features: {px: met_x, py: met_y}}
id: [runNumber, eventNumber]
"""


def write(path: Path, n_event: int = 200) -> None:
    """Writes random muons and jets of `n_event` events."""
    rng = np.random.default_rng(1)
    branches: dict[str, Any] = {"runNumber": np.full(n_event, 410000), "eventNumber": np.arange(n_event)}
    for name, mean in (("mu", 0.8), ("jet", 4.0)):
        n_object = rng.poisson(mean, n_event)
        total = int(n_object.sum())
        columns = {
            "pt": 20_000.0 + rng.exponential(40_000.0, total),
            "eta": rng.normal(0.0, 1.2, total),
            "phi": rng.uniform(-np.pi, np.pi, total),
        }
        if name == "jet":
            columns["e"] = 1.02 * columns["pt"] * np.cosh(columns["eta"])
        branches |= {f"{name}_{key}": ak.unflatten(values, n_object) for key, values in columns.items()}
    branches |= {f"met_{axis}": rng.normal(0.0, 30_000.0, n_event) for axis in "xy"}
    with uproot.recreate(path) as file:
        types = {name: ak.type(ak.Array(values)).content for name, values in branches.items()}
        file.mktree("nominal", types)
        file["nominal"].extend(branches)


def main(folder: Path) -> None:
    """Writes the file and the spec, reads one with the other, and prints what the graphs hold."""
    write(folder / "mine.root")
    (folder / "mine.yaml").write_text(SPEC, encoding="utf-8")
    spec = rg.load_spec(folder / "mine.yaml")
    records = rg.read(folder / "mine.root", spec)  # awkward records, in GeV and radians
    batch = rg.build_graphs(records, spec)
    print("n_event", batch.n_graph)
    for name in ("muon", "jet"):
        print(f"n_{name}", ak.count(records[name].pt, axis=None), "smallest_pt", f"{ak.min(records[name].pt):.1f}")
    print("nodes", *batch.nodes.shape)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(Path(sys.argv[1]))
    else:
        with tempfile.TemporaryDirectory() as name:
            main(Path(name))
