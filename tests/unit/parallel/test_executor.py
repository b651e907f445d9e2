"""Which pool the options choose."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from root_gnn.errors import InputError
from root_gnn.parallel.executor import executor
from root_gnn.parallel.processes import ProcessPool


def test_one_job_needs_no_pool(tmp_path: Path) -> None:
    assert executor("Testing", jobs=1, scheduler=None, slurm=None, folder=tmp_path) is None


def test_several_jobs_are_processes_of_this_machine(tmp_path: Path) -> None:
    pool = executor("Testing", jobs=3, scheduler=None, slurm=None, folder=tmp_path)
    assert isinstance(pool, ProcessPool) and pool.n_at_once == 3
    with pool:
        assert [future.result() for future in pool.submit_all(math.pow, [(2, 3), (3, 2)])] == [8, 9]


def test_two_clusters_at_once_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="give one of the two"):
        executor("Testing", jobs=1, scheduler="tcp://127.0.0.1:9", slurm={}, folder=tmp_path)
