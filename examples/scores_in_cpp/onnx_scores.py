#!/usr/bin/env python
"""Scores a simulated event file with an exported network: onnxruntime, uproot and numpy, neither PyTorch nor root_gnn.

Usage: onnx_scores.py model.onnx events.root
"""

from __future__ import annotations

import sys
from typing import Any

import awkward as ak
import numpy as np
import onnxruntime
import uproot

KINDS = {
    "jet": "jet",
    "electron": "ele",
    "muon": "mu",
    "photon": "ph",
}  # the object's name in the model, and its branches' in the file


def objects(events: Any, types: dict[str, float]) -> Any:
    """The nodes of each event: pt, eta, phi, energy in GeV and radians, b-tag, charge and type."""
    kinds = []
    for name, prefix in KINDS.items():
        columns = {key: events[f"{prefix}_{key}"] for key in ("pt", "eta", "phi", "e")}
        none = ak.zeros_like(columns["pt"])
        for key in ("btag", "charge"):
            columns[key] = events[f"{prefix}_{key}"] if f"{prefix}_{key}" in events.fields else none
        kinds.append(ak.zip({**columns, "type": none + types[name]}))
    met, none = events.met_met, ak.zeros_like(events.met_met)
    missing = {
        "pt": met,
        "eta": none,
        "phi": events.met_phi,
        "e": met,
        "btag": none,
        "charge": none,
        "type": none + types["met"],
    }
    kinds.append(ak.zip({key: column[:, np.newaxis] for key, column in missing.items()}))
    return ak.concatenate(kinds, axis=1)


def main(model: str, path: str) -> None:
    """Prints the scores of the first ten events."""
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    facts = session.get_modelmeta().custom_metadata_map
    types = {name: float(number) for name, number in (pair.split("=") for pair in facts["node_types"].split(","))}
    events = uproot.open(path)["Events"].arrays(entry_stop=10)
    found = objects(events, types)
    rows = ak.flatten(found)
    named = {"energy": "e"}
    nodes = np.stack(
        [ak.to_numpy(rows[named.get(name, name)]) for name in facts["node_features"].split(",")], axis=1
    ).astype(np.float32)
    (scores,) = session.run(None, {"nodes": nodes, "n_node": ak.to_numpy(ak.num(found)).astype(np.int64)})
    print("entry", *facts["classes"].split(","))
    for entry, row in enumerate(scores):
        print(entry, *(f"{value:.7f}" for value in row))


if __name__ == "__main__":
    main(*sys.argv[1:])
