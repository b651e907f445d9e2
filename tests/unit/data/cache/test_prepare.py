"""The cache: reused, rebuilt, killed, shared, and always whole."""

from __future__ import annotations

import json
import logging
import os
import pickle
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from root_gnn.data.cache import prepare as preparing
from root_gnn.data.cache.prepare import cache_dir, prepare_shards, shard_folder
from root_gnn.data.cache.shard import Meta, Shard
from root_gnn.data.reading.graphs import graph_arrays
from root_gnn.data.reading.piece import Piece
from root_gnn.data.reading.read import RecordFile, read
from root_gnn.data.sources import root
from root_gnn.data.spec.spec import Spec, load_spec
from root_gnn.errors import InputError, MissingExtraError

PROGRAM = """
import sys
from pathlib import Path
from root_gnn.console import set_verbosity
from root_gnn.data.cache import prepare as preparing
from root_gnn.data.reading.read import RecordFile
from root_gnn.data.spec.spec import load_spec
set_verbosity(1)
original = RecordFile.piece
def slow(*arguments):
    print("reading", flush=True)
    sys.stdin.readline()
    return original(*arguments)
RecordFile.piece = slow
folder = Path(sys.argv[1])
shards = list(preparing.prepare_shards(load_spec("events"), [folder / "WH.root"], data_dir=folder).values())
print("done", shards[0].n_graph, flush=True)
"""


@pytest.fixture
def folder(tmp_path: Path, data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder of its own with two files."""
    monkeypatch.delenv("ROOT_GNN_CACHE", raising=False)
    for name in ("WH", "ZH"):
        shutil.copy2(data_dir / f"{name}.root", tmp_path)
    return tmp_path


@pytest.fixture
def spec() -> Spec:
    return load_spec("events")


def prepare_one(spec: Spec, folder: Path) -> Shard:
    return prepare_shards(spec, [folder / "WH.root"], data_dir=folder)[folder / "WH.root"]


def contents(shard: Shard) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in shard.folder.glob("*.npy")}


def test_a_shard_holds_what_the_file_holds(folder: Path, spec: Spec, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(root, "CHUNK_BYTES", 1)
    monkeypatch.setattr(root, "SMALLEST_CHUNK", 70)  # five pieces
    shard = prepare_one(spec, folder)
    expected = graph_arrays(read(folder / "WH.root", spec), spec)
    assert np.array_equal(shard.nodes, expected.nodes)
    assert np.array_equal(np.diff(shard.offsets), expected.n_node)
    assert shard.offsets[0] == 0
    assert expected.ids is not None
    assert np.array_equal(shard.ids, expected.ids)
    assert expected.weight is not None
    assert np.array_equal(shard.weight, expected.weight)
    assert np.array_equal(shard.truth[:, shard.meta.truth.index("higgs_pt")], expected.truth["higgs_pt"])
    assert shard.label is None
    assert shard.damage() is None
    assert shard.meta.metadata["process"] == "WH"
    assert shard.meta.sum_of_weights == pytest.approx(float(expected.weight.sum()))
    assert (shard.meta.n_graph, shard.meta.n_node) == (300, len(expected.nodes))


def test_reused_until_source_or_spec_change(folder: Path, spec: Spec, monkeypatch: pytest.MonkeyPatch) -> None:
    first = prepare_one(spec, folder)
    with monkeypatch.context() as patch:
        patch.setattr(preparing, "open_records", None)  # nothing may be built
        assert prepare_one(spec, folder).folder == first.folder
        os.utime(folder / "WH.root", ns=(1, 1))  # another time, the same bytes
        assert prepare_one(spec, folder).folder == first.folder
        assert Meta.load(first.folder) != first.meta
        renamed = spec.model_copy(update={"name": "renamed"})
        assert prepare_one(renamed, folder).folder == first.folder
        other = spec.model_copy(update={"weight": ()})
        with pytest.raises(TypeError):
            prepare_one(other, folder)
    assert prepare_one(other, folder).folder != first.folder
    shutil.copy(folder / "ZH.root", folder / "WH.root")
    changed = prepare_one(spec, folder)
    assert changed.folder == first.folder
    assert changed.meta.metadata["process"] == "ZH"


@pytest.mark.parametrize("damage", ["flip", "truncate", "remove", "meta", "format"])
def test_damaged_shards_are_built_again(folder: Path, spec: Spec, damage: str) -> None:
    shard = prepare_one(spec, folder)
    before = contents(shard)
    file = shard.folder / ("meta.json" if damage in ("meta", "format") else "nodes.npy")
    content = bytearray(file.read_bytes())
    if damage == "flip":
        content[-3] ^= 4
    elif damage == "truncate":
        del content[-10:]
    elif damage == "meta":
        del content[40:]
    elif damage == "format":
        content = bytearray(json.dumps({**json.loads(content), "format": -1}).encode())
    file.unlink() if damage == "remove" else file.write_bytes(content)
    assert contents(prepare_one(spec, folder)) == before


def test_a_bad_file_leaves_nothing_behind(folder: Path, spec: Spec) -> None:
    good = (folder / "WH.root").read_bytes()
    (folder / "WH.root").write_bytes(good[: len(good) // 2])
    with pytest.raises(InputError, match=r"truncated|damaged"):
        prepare_one(spec, folder)
    assert [path.name for path in cache_dir(folder).glob("*") if path.is_dir()] == []
    (folder / "WH.root").write_bytes(good)
    assert prepare_one(spec, folder).n_graph == 300


def test_missing_files_and_places(folder: Path, spec: Spec, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match="no such file"):
        prepare_shards(spec, [folder / "XX.root"], data_dir=folder)
    (folder / "file").write_text("in the way")
    monkeypatch.setenv("ROOT_GNN_CACHE", str(folder / "file"))
    with pytest.raises(InputError, match="Set ROOT_GNN_CACHE"):
        prepare_one(spec, folder)


def test_common_cache_keeps_data_folders_apart(folder: Path, spec: Spec, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROOT_GNN_CACHE", str(folder / "cache"))
    assert prepare_one(spec, folder).folder.is_relative_to(folder / "cache")
    other = folder / "other"
    other.mkdir()
    shutil.copy(folder / "ZH.root", other / "WH.root")
    assert shard_folder(spec, other / "WH.root", other) != shard_folder(spec, folder / "WH.root", folder)
    assert prepare_one(spec, other).meta.metadata["process"] == "ZH"


def test_a_data_folder_may_move(folder: Path, spec: Spec, monkeypatch: pytest.MonkeyPatch) -> None:
    inside = folder / "data"
    inside.mkdir()
    shutil.copy2(folder / "WH.root", inside)
    prepare_one(spec, inside)
    inside.rename(folder / "moved")
    monkeypatch.setattr(preparing, "open_records", None)
    assert prepare_one(spec, folder / "moved").n_graph == 300


@pytest.mark.slow
def test_two_jobs_give_the_same_as_one(folder: Path, spec: Spec) -> None:
    files = [folder / "ZH.root", folder / "WH.root", folder / "ZH.root"]
    one = prepare_shards(spec, files, data_dir=folder)
    assert list(one) == files[:2]  # a file named twice is one
    assert [shard.meta.metadata["process"] for shard in one.values()] == ["ZH", "WH"]
    before = [contents(shard) for shard in one.values()]
    shutil.rmtree(cache_dir(folder))
    assert [contents(shard) for shard in prepare_shards(spec, files, data_dir=folder, jobs=2).values()] == before


def start(folder: Path) -> subprocess.Popen[str]:
    """A process that prepares, and stops in the middle until it is written to."""
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_killed_and_run_again_beside_another(folder: Path, spec: Spec) -> None:
    """One is killed in the middle; of two that then run side by side one builds, the other waits and reuses."""
    victim = start(folder)
    assert victim.stdout
    assert victim.stdout.readline() == "reading\n"
    victim.send_signal(signal.SIGKILL)
    victim.communicate()
    place = shard_folder(spec, folder / "WH.root", folder)
    assert [path for path in cache_dir(folder).iterdir() if path.is_dir()]  # what it left
    assert not place.exists()
    first = start(folder)
    assert first.stdout
    assert first.stdout.readline() == "reading\n"
    second = start(folder)
    assert second.stderr
    assert "waiting for it" in second.stderr.readline()
    assert first.communicate("go\n", timeout=60)[0] == "done 300\n"
    assert second.communicate(timeout=60)[0] == "done 300\n"  # it never read
    assert [path for path in cache_dir(folder).iterdir() if path.is_dir()] == [place]
    again = contents(prepare_one(spec, folder))
    shutil.rmtree(cache_dir(folder))
    assert contents(prepare_one(spec, folder)) == again


def test_a_file_that_changes_while_it_is_read_is_refused(
    folder: Path, spec: Spec, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = RecordFile.piece

    def meddle(records: RecordFile, start: int, stop: int) -> Piece:
        os.utime(folder / "WH.root", ns=(time.time_ns(), 5))
        return original(records, start, stop)

    monkeypatch.setattr(RecordFile, "piece", meddle)
    with pytest.raises(InputError, match="changed while it was read"):
        prepare_one(spec, folder)


def test_an_empty_file_gives_an_empty_shard(folder: Path, write_tree: object) -> None:
    raw: dict[str, object] = {
        "name": "flat",
        "source": {"name": "root", "tree": "Events"},
        "nodes": {"met": {"type": 0, "single": True, "features": {"pt": "pt", "phi": "phi"}}},
    }
    path = write_tree({"pt": np.zeros(0), "phi": np.zeros(0)}, name="empty.root")
    shard = prepare_shards(load_spec(raw), [path], data_dir=folder)[path]
    assert (shard.n_graph, shard.nodes.shape, shard.offsets.tolist()) == (0, (0, 7), [0])
    assert shard.damage() is None


def test_progress_is_logged(folder: Path, spec: Spec, caplog: pytest.LogCaptureFixture) -> None:
    logging.getLogger("root_gnn").propagate = True
    with caplog.at_level(logging.INFO, logger="root_gnn"):
        prepare_one(spec, folder)
    size = f"{(folder / 'WH.root').stat().st_size // 1000:,}"
    assert f"prepare events: {size} of {size} kB" in caplog.text


def test_why_a_file_is_prepared_again_is_said_once(folder: Path, spec: Spec, caplog: pytest.LogCaptureFixture) -> None:
    prepare_one(spec, folder)
    (folder / "WH.root").write_bytes((folder / "ZH.root").read_bytes())
    logging.getLogger("root_gnn").propagate = True
    with caplog.at_level(logging.INFO, logger="root_gnn"):
        prepare_one(spec, folder)
    assert caplog.text.count("prepared again, because the file changed") == 1


def test_an_error_about_an_extra_comes_through_another_process() -> None:
    error = pickle.loads(pickle.dumps(MissingExtraError("pylhe", "io", "Reading LHE")))
    assert isinstance(error, InputError)
    assert "root_gnn[io]" in str(error)
