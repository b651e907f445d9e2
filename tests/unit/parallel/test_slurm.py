"""Job arrays of submitit, run as processes of this machine: the same cache, and the errors of files come back."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from root_gnn.data.cache.prepare import cache_dir, prepare_shards
from root_gnn.data.spec.spec import load_spec
from root_gnn.errors import InputError
from root_gnn.parallel.slurm import Call, SlurmPool

pytest.importorskip("submitit", reason="needs the extra cluster")
LOCAL = {"cluster": "local", "time": "10"}


def test_an_array_of_jobs_leaves_the_cache_that_this_process_leaves(
    tmp_path: Path,
    data_dir: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("ROOT_GNN_CACHE", raising=False)
    for name in ("WH", "ZH"):
        shutil.copy2(data_dir / f"{name}.root", tmp_path)
    spec, files, cache = load_spec("events"), sorted(tmp_path.glob("*.root")), cache_dir(tmp_path)
    here = prepare_shards(spec, files, data_dir=tmp_path)
    expected = {path: path.read_bytes() for shard in here.values() for path in shard.folder.iterdir()}
    shutil.rmtree(cache)
    shards = prepare_shards(spec, files, data_dir=tmp_path, slurm=LOCAL)
    assert list(shards) == files
    assert {path: path.read_bytes() for shard in shards.values() for path in shard.folder.iterdir()} == expected
    (tmp_path / "WH.root").write_bytes(b"no file")
    with pytest.raises(InputError, match=r"WH\.root"):
        prepare_shards(spec, files, data_dir=tmp_path, slurm=LOCAL)


def test_what_a_job_returns_and_how_it_fails(tmp_path: Path) -> None:
    with SlurmPool(tmp_path, LOCAL, purpose="A test") as pool:
        good, bad = pool.submit_all(int, [("3",), ("x",)])
        assert good.result() == 3
        assert isinstance(bad.exception(), RuntimeError) and "invalid literal" in str(bad.exception())
        assert pool.submit(int, "f", base=16).result() == 15
    again = Call(int).checkpoint("3")
    assert again.args == ("3",) and isinstance(again.function, Call)


def test_both_places_at_once_are_refused(tmp_path: Path, data_dir: Path) -> None:
    with pytest.raises(InputError, match="give one of the two"):
        prepare_shards(
            load_spec("events"), [data_dir / "WH.root"], data_dir=tmp_path, scheduler="tcp://127.0.0.1:9", slurm=LOCAL
        )
