"""Preparing on a Dask cluster: the same cache as on this machine, bit for bit."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from root_gnn.data.cache.prepare import cache_dir, prepare_shards
from root_gnn.data.spec.spec import load_spec
from root_gnn.errors import InputError

pytest.importorskip("distributed", reason="needs the extra cluster")


@pytest.fixture
def folder(tmp_path: Path, data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("ROOT_GNN_CACHE", raising=False)
    for name in ("WH", "ZH", "ttH"):
        shutil.copy2(data_dir / f"{name}.root", tmp_path)
    return tmp_path


def contents(folder: Path) -> dict[str, bytes]:
    cache = cache_dir(folder)
    return {str(path.relative_to(cache)): path.read_bytes() for path in cache.rglob("*") if path.is_file()}


@pytest.mark.parametrize("processes", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_a_cluster_leaves_the_cache_that_this_machine_leaves(folder: Path, processes: bool) -> None:
    from distributed import LocalCluster

    spec, files = load_spec("events"), sorted(folder.glob("*.root"))
    prepare_shards(spec, files, data_dir=folder)
    expected = contents(folder)
    assert len(expected) > 15
    shutil.rmtree(cache_dir(folder))
    where: Any = {"host": "127.0.0.1", "protocol": "tcp", "dashboard_address": None}
    with LocalCluster(n_workers=2, threads_per_worker=1, processes=processes, **where) as cluster:
        shards = prepare_shards(spec, files, data_dir=folder, scheduler=cluster.scheduler_address)
        assert list(shards) == files
        assert contents(folder) == expected
        (folder / "WH.root").write_bytes(b"no file")
        with pytest.raises(InputError, match=r"WH\.root"):  # and the error of a worker comes back as it is
            prepare_shards(spec, files, data_dir=folder, scheduler=cluster.scheduler_address)
        skipped: dict[Path, str] = {}
        tolerant = spec.model_copy(update={"on_bad_file": "skip"})
        assert (
            list(prepare_shards(tolerant, files, data_dir=folder, scheduler=cluster.scheduler_address, skipped=skipped))
            == files[1:]
        )
        assert list(skipped) == files[:1]


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:9", "nowhere"])
def test_an_address_without_scheduler(folder: Path, address: str) -> None:
    with pytest.raises(InputError, match=f"No Dask scheduler answers at {address}"):
        prepare_shards(load_spec("events"), [folder / "WH.root"], data_dir=folder, scheduler=address)
