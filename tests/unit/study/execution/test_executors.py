"""What runs trainings on one machine."""

from __future__ import annotations

from concurrent.futures import Future
from pathlib import Path

import pytest

from root_gnn.errors import InputError
from root_gnn.study.execution.executors import LocalExecutor
from root_gnn.study.execution.training import Training


def test_a_training_in_a_process_hands_back_its_error_and_folders_are_absolute(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    executor = LocalExecutor(Path("runs"), Path("data"), jobs=1)
    assert executor.runs == tmp_path / "runs" and executor.n_at_once == 1
    try:
        (future,) = executor.submit([Training("a", "no_such_recipe")])
        assert isinstance(future, Future)
        with pytest.raises(InputError, match="no_such_recipe"):
            future.result(timeout=120)
    finally:
        executor.close()
