"""The last layer against training size, as it is drawn."""

from __future__ import annotations

from pathlib import Path

import pytest

from root_gnn import plots
from root_gnn.study.answers.similarity import similarity_along


def test_a_value_without_error_is_a_point_and_none_is_not_drawn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = {}
    monkeypatch.setattr(plots, "training_size", lambda curves, path, **words: drawn.update(curves) or words)
    values = {10: {"a": (0.5, 0.1), "b": (None, None)}, 20: {"a": (0.6, None)}}
    similarity_along(values, tmp_path / "s.svg", axis="Epoch")
    assert drawn == {"a": {10: (0.5, 0.4, 0.6), 20: (0.6, 0.6, 0.6)}}
