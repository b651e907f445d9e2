"""One writer for each file or folder: a lock, and the end of what killed writers left behind."""

from __future__ import annotations

import fcntl
import glob
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from root_gnn.parallel.process_lock import process_lock


@contextmanager
def exclusive_writer(path: Path, when_held: Callable[[], None]) -> Iterator[None]:
    """Holds the lock on writing `path` while the block runs, after removing what killed writers left of it.

    Where another process holds the lock, `when_held` is called once: it raises an error, or returns to wait. The lock
    is flock's, which ends with the process; where the file system has no flock, it is a file that names the process.
    The temporary files and folders of `root_gnn.atomic` count as leftovers.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = _lock_of(path)
    with _locked(lock, when_held):
        for leftover in _leftovers(path):
            if leftover.is_dir():
                shutil.rmtree(leftover, ignore_errors=True)
            elif leftover != lock:
                leftover.unlink(missing_ok=True)
        yield


def has_leftovers(path: Path) -> bool:
    """Whether there are files of a writer of `path`, which runs or was killed."""
    return bool(_leftovers(path))


def _lock_of(path: Path) -> Path:
    return path.with_name(f".{path.name}.lock")


def _leftovers(path: Path) -> list[Path]:
    return list(path.parent.glob(f".{glob.escape(path.name)}.*"))


@contextmanager
def _locked(lock: Path, when_held: Callable[[], None]) -> Iterator[None]:
    is_announced = False
    while True:
        with lock.open("a") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if not is_announced:
                    when_held()
                    is_announced = True
                fcntl.flock(file, fcntl.LOCK_EX)
            except OSError:
                break  # no flock here
            # The holder before us may have removed the file that we opened: then the lock on it protects nothing.
            if _is_same_file(file.fileno(), lock):
                try:
                    yield
                finally:
                    lock.unlink(missing_ok=True)
                return
    with process_lock(lock, lambda _: when_held()):
        yield


def _is_same_file(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False
