"""Compares an exported network with PyTorch on real events: many, the largest, a single one, with one or no node."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from root_gnn.data.events.table import EventTable
from root_gnn.data.events.whole_events import WholeEvents
from root_gnn.errors import InputError
from root_gnn.export.network import Signature
from root_gnn.graph.batch import Batch
from root_gnn.graph.segment import segment_place
from root_gnn.graph.subgraph import subgraph
from root_gnn.protocols import Supervised
from root_gnn.runs.run import Run
from root_gnn.training.evaluation import probabilities_of

N_EVENT, N_LARGEST, N_SMALL = 512, 16, 64
Call = Callable[[Mapping[str, Tensor]], NDArray[np.float64]]


def samples(run: Run, data_dir: Path | str | None = None) -> dict[str, Batch]:
    """Returns batches of the run's own data, by description; raises InputError if the data is missing."""
    table = run.table(data_dir)
    rows = np.unique(np.linspace(0, len(table) - 1, min(N_EVENT, len(table))).astype(np.int64))
    largest = np.argsort(table.n_node, kind="stable")[-N_LARGEST:]
    whole = WholeEvents.of(table) if run.recipe.objective.whole_events else None
    spread = _gathered(table, rows, whole)
    few = _gathered(table, rows[: min(N_SMALL, len(rows))], whole)
    return {
        "events spread over the data": spread,
        "the largest events": _gathered(table, largest, whole),
        "one event alone": _gathered(table, rows[:1], whole),
        "events with one node": subgraph(few, segment_place(few.graph_index, few.n_node) == 0),
        "events without nodes": subgraph(few, torch.zeros(few.total_node, dtype=torch.bool)),
    }


def reference(run: Run, batch: Batch) -> NDArray[np.float64]:
    """Returns PyTorch's output, `(n_graph, dim)`: probabilities as in `root-gnn predict`, or representations."""
    objective = run.objective
    with torch.inference_mode():
        if isinstance(objective, Supervised):
            output = probabilities_of(objective, objective.head_outputs(batch))
        else:
            output = objective.encoder(batch).globals.double()
    array: NDArray[np.float64] = output.numpy()
    return array


def differences(run: Run, signature: Signature, batches: Mapping[str, Batch], call: Call) -> dict[str, float]:
    """Returns the largest absolute difference between PyTorch and `call` on each batch; infinite for NaN."""
    largest = {}
    for name, batch in batches.items():
        output = call(signature.arguments(batch, run.encoder.extra_inputs(batch)))
        expected = reference(run, batch)
        difference = np.abs(output - expected).max() if output.shape == expected.shape and output.size else np.inf
        largest[name] = float(difference) if np.isfinite(difference) else float("inf")
    return largest


def check_parity(largest: Mapping[str, float], tolerance: float, out: Path) -> None:
    """Raises InputError if a difference is larger than `tolerance`."""
    worst = max(largest, key=lambda name: largest[name])
    if not largest[worst] <= tolerance:
        raise InputError(
            f"{out} was not kept: what was exported differs from PyTorch by {largest[worst]:.1e} on {worst}, where "
            f"{tolerance:.0e} was allowed. Allow more with --tolerance if that is enough for you; "
            "a difference that is much larger is a fault of the exporter or the runtime: try --out <name>.pt2."
        )


def _gathered(table: EventTable, rows: NDArray[np.int64], whole: WholeEvents | None) -> Batch:
    """Returns the rows as a batch; with `whole`, all jets of their events."""
    if whole is None:
        return table.gather(rows)
    return table.gather(whole.all_rows(whole.rows[whole.start[np.unique(whole.event[rows])]]))
