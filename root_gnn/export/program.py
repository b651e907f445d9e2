"""Traces a network to a program of `torch.export`: the source of ONNX, and a file format of its own (`.pt2`)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor
from torch.export import Dim, ExportedProgram

from root_gnn.errors import InputError
from root_gnn.export.network import Network

METADATA = "root_gnn.json"
"""The file in the archive that holds the metadata."""


def traced(network: Network, example: Mapping[str, Tensor]) -> ExportedProgram:
    """Traces the network for inputs of any size; `example` has inputs with more than one graph.

    Raises InputError if its operations depend on the data in a way that cannot be traced.
    """
    axes = {name: {0: Dim.DYNAMIC} for name in network.signature.inputs}
    try:
        with torch.no_grad():
            return torch.export.export(network, (), dict(example), dynamic_shapes=axes, strict=False)
    except Exception as error:  # torch raises a dozen kinds
        raise InputError(
            f"this network cannot be exported: torch.export stopped with {type(error).__name__}: {_first_line(error)}. "
            "All encoders of root_gnn but pyg_module, whose layers are somebody else's, can be."
        ) from error


def save_program(program: ExportedProgram, path: Path, metadata: Mapping[str, str]) -> None:
    """Writes the `.pt2` archive with the metadata inside, as the file `METADATA`.

    The program loses its stack traces, which hold the paths of this machine's files.
    """
    for module in program.graph_module.modules():
        for node in module.graph.nodes if isinstance(module, torch.fx.GraphModule) else ():
            node.meta.pop("stack_trace", None)
    torch.export.save(program, path, extra_files={METADATA: json.dumps(dict(metadata), indent=1)})


def _first_line(error: Exception) -> str:
    return next((line for line in str(error).splitlines() if line.strip()), "")
