"""ONNX files: written from a traced network, with metadata inside, and run by onnxruntime."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.export import ExportedProgram

from root_gnn.errors import InputError, MissingExtraError
from root_gnn.export.network import Signature

try:
    import onnx
    import onnxruntime
    import onnxscript  # noqa: F401  the exporter of PyTorch needs it, and reports its absence late
except ImportError as error:
    raise MissingExtraError(error.name or "onnx", "onnx", "ONNX export") from error

MOST_OPSET = 20


def model_of(program: ExportedProgram, signature: Signature, *, opset: int, ir_version: int) -> onnx.ModelProto:
    """Converts a traced network to ONNX, with the names of the signature.

    Raises InputError for an unsupported opset, and if ONNX lacks an operator of the network.
    """
    from root_gnn.export.onnx_operators import TABLE

    if not 18 <= opset <= MOST_OPSET:
        raise InputError(
            f"--opset {opset}: 18 to {MOST_OPSET} was expected; before 18 there is no maximum over the nodes of a graph"
        )
    try:
        with _quiet():
            written = torch.onnx.export(
                program,
                dynamo=True,
                opset_version=opset,
                custom_translation_table=TABLE,
                input_names=list(signature.inputs),
                output_names=[signature.output],
                verbose=False,
            )
    except (torch.onnx.errors.OnnxExporterError, NotImplementedError) as error:
        cause = error.__cause__ or error
        raise InputError(
            f"this network has an operator that ONNX lacks ({' '.join(str(cause).split())[:200]}); "
            "write it as a program of torch.export instead, with --out <name>.pt2"
        ) from error
    assert written is not None
    model: onnx.ModelProto = written.model_proto
    model.ir_version = ir_version
    _name_axes(model, signature)
    _remove_source_paths(model)
    onnx.checker.check_model(model)
    return model


def describe_inputs(model: onnx.ModelProto, metadata: Mapping[str, str]) -> None:
    """Replaces the metadata of the model."""
    del model.metadata_props[:]
    onnx.helper.set_model_props(model, dict(metadata))


class Session:
    """An ONNX model in onnxruntime, on one thread of the processor."""

    def __init__(self, model: bytes) -> None:
        """Loads a serialised model."""
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self._session: Any = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])

    def __call__(self, arguments: Mapping[str, Tensor]) -> NDArray[np.float64]:
        """Returns the output `(n_graph, dim)` for inputs by name."""
        (out,) = self._session.run(None, {name: value.numpy() for name, value in arguments.items()})
        output: NDArray[np.float64] = np.asarray(out, dtype=np.float64)
        return output


def _name_axes(model: onnx.ModelProto, signature: Signature) -> None:
    """Names the varying axes of inputs and output, and removes the shapes of intermediate values."""
    del model.graph.value_info[:]
    for value in model.graph.input:
        value.type.tensor_type.shape.dim[0].dim_param = signature.inputs[value.name]
    model.graph.output[0].type.tensor_type.shape.dim[0].dim_param = "n_graph"


def _remove_source_paths(model: onnx.ModelProto) -> None:
    """Removes the exporter's notes on the source of each node: they hold the paths of this machine's files."""
    parts = [model.graph, *model.functions]
    while parts:
        part = parts.pop()
        del part.metadata_props[:]
        part.ClearField("doc_string")
        for node in part.node:
            del node.metadata_props[:]
            node.ClearField("doc_string")
            for attribute in node.attribute:
                parts += [attribute.g] if attribute.HasField("g") else []
                parts += attribute.graphs


@contextmanager
def _quiet() -> Iterator[None]:
    """Suppresses the exporter's messages on its own deprecations and on optional packages."""
    registration = logging.getLogger("torch.onnx._internal.exporter._registration")
    before = registration.level
    registration.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        registration.setLevel(before)
