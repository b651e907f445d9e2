"""The lock on writing a file: waiting, refusing, leftovers, and file systems without flock."""

from __future__ import annotations

import errno
import subprocess
import sys
from pathlib import Path

import pytest

from root_gnn.parallel.lock import exclusive_writer, has_leftovers

HOLD = """
import sys
from pathlib import Path
from root_gnn.parallel.lock import exclusive_writer
if sys.argv[2] == "without":
    import fcntl
    def flock(*_):
        raise OSError(38, "Function not implemented")
    fcntl.flock = flock
with exclusive_writer(Path(sys.argv[1]), lambda: None):
    print("held", flush=True)
    sys.stdin.read()
"""


class HeldError(Exception):
    """Says that the lock was held."""


def refuse() -> None:
    raise HeldError


def without_flock(*_: object) -> None:
    raise OSError(errno.ENOSYS, "Function not implemented")


@pytest.mark.parametrize("flock", ["with", "without"])
def test_another_process_is_refused_or_waited_for_and_a_killed_one_leaves_nothing(
    tmp_path: Path, flock: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if flock == "without":
        monkeypatch.setattr("fcntl.flock", without_flock)
    path = tmp_path / "WH[1].root"  # brackets mean something to glob
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path), flock], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        assert has_leftovers(path)
        with pytest.raises(HeldError), exclusive_writer(path, refuse):
            pass
        with exclusive_writer(path, holder.kill):  # waits until the process is gone
            assert has_leftovers(path)
    assert list(tmp_path.iterdir()) == []


def test_leftover_files_and_folders_of_this_path_are_removed_and_others_stay(tmp_path: Path) -> None:
    path = tmp_path / "shard"
    (tmp_path / ".shard.a1b2").mkdir()
    (tmp_path / ".shard.a1b2" / "half.npy").write_text("half")
    (tmp_path / ".shard.c3d4").write_text("half")
    (tmp_path / ".sharding.e5").write_text("of another path")
    path.mkdir()
    with exclusive_writer(path, refuse):
        assert sorted(entry.name for entry in tmp_path.iterdir()) == [".shard.lock", ".sharding.e5", "shard"]
    assert not has_leftovers(path)


def test_the_lock_goes_with_an_error_in_the_block(tmp_path: Path) -> None:
    with pytest.raises(KeyError), exclusive_writer(tmp_path / "new" / "a.root", refuse):
        raise KeyError
    with exclusive_writer(tmp_path / "new" / "a.root", refuse):
        pass
    assert list((tmp_path / "new").iterdir()) == []
