"""Graph networks and self-supervised pretraining for collider events and jets.

The public names are loaded on first use, so that importing the package costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from root_gnn._version import __version__ as __version__

if TYPE_CHECKING:
    from root_gnn.data.reading.graphs import build_graphs
    from root_gnn.data.reading.read import read
    from root_gnn.data.spec.spec import load_spec
    from root_gnn.graph.batch import Batch
    from root_gnn.graph.dgl import from_dgl, to_dgl
    from root_gnn.graph.pyg import from_pyg, to_pyg
    from root_gnn.runs.evaluate import evaluate
    from root_gnn.runs.run import load_encoder, load_run
    from root_gnn.runs.train import finetune, train
    from root_gnn.similarity.cka import cka
    from root_gnn.simulation.simulate import simulate

_HOMES = {
    "Batch": "root_gnn.graph.batch",
    "build_graphs": "root_gnn.data.reading.graphs",
    "cka": "root_gnn.similarity.cka",
    "evaluate": "root_gnn.runs.evaluate",
    "finetune": "root_gnn.runs.train",
    "from_dgl": "root_gnn.graph.dgl",
    "from_pyg": "root_gnn.graph.pyg",
    "load_encoder": "root_gnn.runs.run",
    "load_run": "root_gnn.runs.run",
    "load_spec": "root_gnn.data.spec.spec",
    "read": "root_gnn.data.reading.read",
    "simulate": "root_gnn.simulation.simulate",
    "to_dgl": "root_gnn.graph.dgl",
    "to_pyg": "root_gnn.graph.pyg",
    "train": "root_gnn.runs.train",
}

__all__ = [
    "Batch",
    "build_graphs",
    "cka",
    "evaluate",
    "finetune",
    "from_dgl",
    "from_pyg",
    "load_encoder",
    "load_run",
    "load_spec",
    "read",
    "simulate",
    "to_dgl",
    "to_pyg",
    "train",
]


if not TYPE_CHECKING:  # so that type checkers still refuse names that do not exist

    def __getattr__(name: str) -> Any:
        """Imports the module that holds a public name when it is first asked for."""
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(importlib.import_module(_HOMES[name]), name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    """The public names, loaded or not."""
    return sorted({*globals(), *_HOMES})
