"""Figures as they were drawn, to be looked at beside the files."""

from __future__ import annotations

from pathlib import Path

import pytest
from matplotlib.figure import Figure

from root_gnn.plots import canvas


@pytest.fixture
def figures(monkeypatch: pytest.MonkeyPatch) -> list[Figure]:
    """The figures that a test has saved."""
    drawn: list[Figure] = []
    save = canvas.save_figure

    def save_and_remember(figure: Figure, path: Path) -> None:
        drawn.append(figure)
        save(figure, path)

    monkeypatch.setattr(canvas, "save_figure", save_and_remember)
    return drawn
