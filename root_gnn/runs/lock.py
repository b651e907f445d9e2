"""One writer for each run folder: a lock file that names the process that trains."""

from __future__ import annotations

import json
import os
import socket
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from root_gnn.errors import InputError

LOCK = ".lock"


@dataclass(frozen=True)
class Writer:
    """A process that writes a run folder.

    Attributes:
        host: name of the machine.
        pid: number of the process there.
        started: when the process started, in clock ticks since the machine did; process numbers are used again.
    """

    host: str
    pid: int
    started: int

    @classmethod
    def this_process(cls) -> Writer:
        """The calling process."""
        return cls(socket.gethostname(), os.getpid(), _started(os.getpid()))

    @classmethod
    def read(cls, lock: Path) -> Writer | None:
        """The writer that a lock file names; None where the file is missing or was never finished."""
        try:
            return cls(**json.loads(lock.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None

    def is_here(self) -> bool:
        """Whether the process ran on this machine."""
        return self.host == socket.gethostname()

    def is_alive(self) -> bool:
        """Whether the process still runs, as far as this machine can tell: one of another machine counts as alive."""
        return not self.is_here() or (self.started != 0 and _started(self.pid) == self.started)


@contextmanager
def one_writer(folder: Path) -> Iterator[None]:
    """Holds the lock of a run folder, which is made where there is none, while the block runs.

    The lock is a file that is linked into place, which is atomic on network file systems too and needs no flock. A lock
    whose process has ended is taken over.

    Raises InputError where another process holds the lock, naming it and, for a process of another machine, the file to
    remove once that process is known to have ended.
    """
    is_new = not folder.exists()
    folder.mkdir(parents=True, exist_ok=True)
    lock, own = folder / LOCK, Writer.this_process()
    _take(lock, own)
    try:
        yield
    finally:
        if Writer.read(lock) == own:
            lock.unlink(missing_ok=True)
        if is_new and folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()


def _take(lock: Path, own: Writer) -> None:
    temporary = lock.with_name(f"{LOCK}.{uuid.uuid4().hex}")
    try:
        temporary.write_text(json.dumps(asdict(own)) + "\n", encoding="utf-8")
        while True:
            try:
                _place(temporary, lock)
                return
            except FileExistsError:
                holder = Writer.read(lock)
                if holder == own:  # a second training in the same process, one after another
                    return
                if holder is not None and holder.is_alive():
                    raise InputError(_in_use(lock, holder)) from None
                _remove_stale(lock, holder)
    finally:
        temporary.unlink(missing_ok=True)


def _place(source: Path, target: Path) -> None:
    """Makes `target` with the content of `source`; raises FileExistsError where it exists already, whoever made it."""
    try:
        os.link(source, target)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links
        with target.open("x", encoding="utf-8") as file:
            file.write(source.read_text(encoding="utf-8"))


def _remove_stale(lock: Path, holder: Writer | None) -> None:
    """Moves a lock aside and looks at it again, since another process may have replaced it in between."""
    aside = lock.with_name(f"{LOCK}.{uuid.uuid4().hex}")
    try:
        lock.rename(aside)
    except FileNotFoundError:
        return
    if Writer.read(aside) != holder:
        with suppress(FileExistsError):
            _place(aside, lock)
    aside.unlink(missing_ok=True)


def _in_use(lock: Path, holder: Writer) -> str:
    what = f"the run folder {lock.parent} is being written by process {holder.pid} of {holder.host}"
    if holder.is_here():
        return f"{what}; wait until it has ended, or name another folder with --run-dir"
    return (
        f"{what}, a machine that this one cannot look at; wait until it has ended, or remove {lock} once you know that "
        "it has, or name another folder with --run-dir"
    )


def _started(pid: int) -> int:
    """Start time of a process of this machine in clock ticks; 0 where there is none."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except OSError:
        return 0
    return 0 if fields[0] == "Z" else int(fields[19])
