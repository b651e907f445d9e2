"""A lock file that names the process that holds it: needs neither flock nor a server, only a shared file system."""

from __future__ import annotations

import json
import os
import socket
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

SECONDS_BETWEEN_LOOKS = 0.5


@dataclass(frozen=True)
class Writer:
    """A process that holds a lock.

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
def process_lock(lock: Path, when_held: Callable[[Writer], None]) -> Iterator[None]:
    """Holds the file `lock`, whose folder exists, while the block runs.

    The file is linked into place, which is atomic on network file systems too. A lock whose process has ended is taken
    over. Where a living process holds it, `when_held` is called with that process: it raises an error, or returns to
    wait. It excludes processes, not threads: this process may take its own lock again.
    """
    own = Writer.this_process()
    _take(lock, own, when_held)
    try:
        yield
    finally:
        if Writer.read(lock) == own:
            lock.unlink(missing_ok=True)


def _take(lock: Path, own: Writer, when_held: Callable[[Writer], None]) -> None:
    temporary = lock.with_name(f"{lock.name}.{uuid.uuid4().hex}")
    waits_for: Writer | None = None
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
                if holder is None or not holder.is_alive():
                    _remove_stale(lock, holder)
                    continue
            if holder != waits_for:
                when_held(holder)
                waits_for = holder
            time.sleep(SECONDS_BETWEEN_LOOKS)
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
    aside = lock.with_name(f"{lock.name}.{uuid.uuid4().hex}")
    try:
        lock.rename(aside)
    except FileNotFoundError:
        return
    if Writer.read(aside) != holder:
        with suppress(FileExistsError):
            _place(aside, lock)
    aside.unlink(missing_ok=True)


def _started(pid: int) -> int:
    """Start time of a process of this machine in clock ticks; 0 where there is none."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except OSError:
        return 0
    return 0 if fields[0] == "Z" else int(fields[19])
