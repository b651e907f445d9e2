"""One writer for each run folder: a lock file that names the process that trains."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from root_gnn.errors import InputError
from root_gnn.parallel.process_lock import Writer, process_lock

LOCK = ".lock"


@contextmanager
def one_writer(folder: Path) -> Iterator[None]:
    """Holds the lock of a run folder, which is made where there is none, while the block runs.

    A lock whose process has ended is taken over.

    Raises InputError where another process holds the lock, naming it and, for a process of another machine, the file to
    remove once that process is known to have ended.
    """
    lock = folder / LOCK

    def refuse(holder: Writer) -> None:
        raise InputError(_in_use(lock, holder))

    is_new = not folder.exists()
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with process_lock(lock, refuse):
            yield
    finally:
        if is_new and folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()


def _in_use(lock: Path, holder: Writer) -> str:
    what = f"the run folder {lock.parent} is being written by process {holder.pid} of {holder.host}"
    if holder.is_here():
        return f"{what}; wait until it has ended, or name another folder with --run-dir"
    return (
        f"{what}, a machine that this one cannot look at; wait until it has ended, or remove {lock} once you know that "
        "it has, or name another folder with --run-dir"
    )
