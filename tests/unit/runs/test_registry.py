"""Runs are listed by conditions, sorted, and compared by what differs."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from root_gnn.errors import InputError
from root_gnn.runs.registry import Listed, compare_runs, list_runs, pack, unpack_run
from root_gnn.runs.run import Run


@pytest.fixture
def folder(seeds: list[Run], tmp_path: Path) -> Path:
    for run in seeds:
        shutil.copytree(run.folder, tmp_path / "runs" / run.name)
    return tmp_path / "runs"


def names(folder: Path, *where: str, sort: str = "name") -> list[str]:
    return [entry["name"] for entry in json.loads(list_runs(folder, where=where, sort=sort).as_json())]


def test_conditions_and_order(folder: Path) -> None:
    assert names(folder) == ["scratch_s1", "scratch_s2", "scratch_s3"]
    assert names(folder, "seed>1") == ["scratch_s2", "scratch_s3"]
    assert names(folder, "seed!=2", "mode=scratch") == ["scratch_s1", "scratch_s3"]
    assert names(folder, sort="seed") == ["scratch_s3", "scratch_s2", "scratch_s1"]


def test_wrong_conditions_are_refused_with_near_keys(folder: Path) -> None:
    with pytest.raises(InputError, match="no run has the key sed; did you mean seed"):
        list_runs(folder, where=("sed=1",))
    with pytest.raises(InputError, match="KEY=VALUE was expected"):
        list_runs(folder, where=("seed",))
    with pytest.raises(InputError, match="< compares numbers"):
        list_runs(folder, where=("mode<a",))


def test_a_damaged_run_is_listed_as_such(folder: Path) -> None:
    (folder / "scratch_s1" / "config.yaml").write_text("{")
    assert Listed.of(folder / "scratch_s1").facts["state"] == "damaged"
    assert names(folder, "state=damaged") == ["scratch_s1"]


def test_a_comparison_shows_the_keys_that_differ(folder: Path) -> None:
    text = str(compare_runs([folder / "scratch_s1", folder / "scratch_s2"]))
    assert "seed" in text and "model.dim" not in text


def test_packing_and_unpacking_replace_nothing_unasked(one_run: Run, tmp_path: Path) -> None:
    file = pack(one_run, out=tmp_path / "a.safetensors")
    with pytest.raises(InputError, match="exists; name another --out"):
        pack(one_run, out=file)
    with pytest.raises(InputError, match=r"a packed run is called \*\.safetensors"):
        pack(one_run, out=tmp_path / "a.ckpt")
    (tmp_path / "mine").mkdir()
    with pytest.raises(InputError, match="exists"):
        unpack_run(file, out=tmp_path / "mine", overwrite=True)  # no run folder
    assert Run(unpack_run(file, out=tmp_path / "run")).weights_digest == one_run.weights_digest
