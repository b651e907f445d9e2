"""Exporting a run to a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from root_gnn.errors import InputError
from root_gnn.export.export import export
from root_gnn.runs.run import Run


@pytest.mark.slow
def test_a_program_and_its_card_are_written_once(seeds: list[Run], ntuples: Path, tmp_path: Path) -> None:
    exported = export(seeds[0], out=tmp_path / "a.pt2", data_dir=ntuples)
    assert exported.path.is_file() and "Model card" in exported.card.read_text(encoding="utf-8")
    assert exported.metadata["classes"] == "ZH,WH" and max(exported.differences.values()) < 1e-5
    with pytest.raises(InputError, match="exists; name another --out"):
        export(seeds[0], out=tmp_path / "a.pt2", data_dir=ntuples)


def test_another_ending_is_refused(seeds: list[Run], tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"ends in \.onnx, or in \.pt2"):
        export(seeds[0], out=tmp_path / "a.h5")
