"""The comparison with PyTorch."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from torch import Tensor

from root_gnn.errors import InputError
from root_gnn.export.network import network_of
from root_gnn.export.parity import check_parity, differences, samples
from root_gnn.runs.run import Run


def test_differences_are_measured_on_events_of_every_kind(seeds: list[Run], ntuples: Path) -> None:
    run, shift = seeds[0], 0.0
    network, batches = network_of(run), samples(run, ntuples)

    def call(arguments: Mapping[str, Tensor]) -> NDArray[np.float64]:
        outputs: NDArray[np.float64] = network(**arguments).double().numpy()
        return outputs + shift

    assert batches["one event alone"].n_graph == 1 and batches["events without nodes"].total_node == 0
    assert max(differences(run, network.signature, batches, call).values()) < 1e-6
    shift = 0.25
    assert all(0.2 < value < 0.3 for value in differences(run, network.signature, batches, call).values())
    shift = float("nan")
    assert all(value == np.inf for value in differences(run, network.signature, batches, call).values())


def test_a_difference_above_the_tolerance_is_refused_by_name() -> None:
    check_parity({"a": 1e-6}, 1e-5, Path("x.onnx"))
    with pytest.raises(InputError, match=r"x\.onnx was not kept: .* by 1\.0e-04 on b"):
        check_parity({"a": 1e-6, "b": 1e-4}, 1e-5, Path("x.onnx"))
