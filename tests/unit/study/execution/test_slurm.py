"""Trainings as jobs of Slurm."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from root_gnn.study.execution.slurm import train_in_slurm
from root_gnn.study.execution.training import Training


def test_a_job_trains_with_one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    threads, seen = torch.get_num_threads(), []
    monkeypatch.setattr(
        Training, "run", lambda self, *folders: seen.append((self.name, *folders)) or torch.get_num_threads()
    )
    try:
        torch.set_num_threads(2)
        assert train_in_slurm(Training("a", "r"), Path("x"), Path("y")) == 1
    finally:
        torch.set_num_threads(threads)
    assert seen == [("a", Path("x"), Path("y"))]
