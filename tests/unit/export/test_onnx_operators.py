"""Operators written for ONNX give the numbers of PyTorch in onnxruntime."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

pytest.importorskip("onnxruntime", reason="the extra onnx is not installed")
pytest.importorskip("onnxscript", reason="the extra onnx is not installed")


def run(function: Any, *arguments: torch.Tensor) -> Any:
    from root_gnn.export.onnx_file import Session
    from root_gnn.export.onnx_operators import TABLE

    class Module(torch.nn.Module):
        def forward(self, *inputs: torch.Tensor) -> Any:
            return function(*inputs)

    program = torch.export.export(Module(), arguments, strict=False)
    names = [f"x{i}" for i in range(len(arguments))]
    written = torch.onnx.export(
        program, dynamo=True, opset_version=18, custom_translation_table=TABLE, input_names=names, verbose=False
    )
    assert written is not None
    session = Session(written.model_proto.SerializeToString())
    return session(dict(zip(names, arguments, strict=True)))


@pytest.mark.filterwarnings("ignore")
def test_hyperbolic_functions_in_double_precision() -> None:
    values = torch.linspace(-3, 3, 13, dtype=torch.float64)

    def all_three(x: torch.Tensor) -> torch.Tensor:
        return torch.stack([torch.sinh(x), torch.cosh(x), torch.asinh(x)])

    np.testing.assert_allclose(run(all_three, values), all_three(values).numpy(), atol=1e-12)


@pytest.mark.filterwarnings("ignore")
def test_rows_with_one_index_are_all_added() -> None:
    index, source = torch.tensor([2, 0, 2, 2]), torch.arange(8.0).reshape(4, 2)
    expected = np.zeros((3, 2))
    np.add.at(expected, index.numpy(), source.numpy())
    np.testing.assert_array_equal(run(lambda i, s: torch.zeros(3, 2).index_add(0, i, s), index, source), expected)


def test_uses_without_a_translation_are_refused() -> None:
    from root_gnn.export.onnx_operators import attention, segment_reduce

    with pytest.raises(NotImplementedError, match="segment_reduce sum"):
        segment_reduce(None, "sum")
    with pytest.raises(NotImplementedError, match="causal"):
        attention(None, None, None, is_causal=True)
