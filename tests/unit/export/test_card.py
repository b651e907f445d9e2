"""The model card."""

from __future__ import annotations

from pathlib import Path

from root_gnn.export.card import Exported, card
from root_gnn.export.network import network_of
from root_gnn.runs.run import Run


def test_it_says_inputs_classes_limits_and_the_check(seeds: list[Run]) -> None:
    exported = Exported(Path("a.onnx"), Path("a.md"), {"torch": "2"}, {"one event": 1e-7, "many": 3e-7})
    text = card(seeds[0], network_of(seeds[0]).signature, exported)
    assert f"# Model card: {seeds[0].name}" in text
    assert "gives a probability for each of ZH, WH" in text
    assert "| probabilities | (n_graph, 2) | float32, ZH, WH, they add up to 1 |" in text
    assert "| many | 3.0e-07 |" in text and "Probabilities are those for classes of the same weight" in text
    assert "differs from PyTorch by 3.0e-07 at most" in str(exported)
