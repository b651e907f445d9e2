"""Progress of long work: a bar on a terminal, plain lines in a log file or batch job."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

SECONDS_BETWEEN_LINES = 10.0

stderr = Console(stderr=True, highlight=False, soft_wrap=True)
log = logging.getLogger("root_gnn")


def set_verbosity(level: int) -> None:
    """Shows warnings only (level < 0), progress and steps (0), or everything (> 0) of the `root_gnn` logger."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(message)s"))
    log.handlers[:] = [handler]
    log.setLevel(logging.WARNING if level < 0 else logging.INFO if level == 0 else logging.DEBUG)
    log.propagate = False


class Meter:
    """Counts work done and shows it with rate and time left; made by `progress`."""

    def __init__(self, title: str, total: int, unit: str) -> None:
        self.title, self.total, self.unit = title, total, unit
        self.done = 0
        self._start = self._shown = time.monotonic()
        self._bar: Progress | None = None
        self._task = TaskID(0)
        if stderr.is_terminal and log.isEnabledFor(logging.INFO):
            self._bar = Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TextColumn("{task.fields[rate]}"),
                TimeRemainingColumn(),
                TextColumn("{task.fields[note]}"),
                console=stderr,
            )
            self._task = self._bar.add_task(title, total=total, rate="", note="")

    def __enter__(self) -> Meter:
        if self._bar is not None:
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()
        elif kind is None:
            self._line("done")

    @property
    def rate(self) -> float:
        """Units per second since the start."""
        return self.done / max(time.monotonic() - self._start, 1e-9)

    def advance(self, n: int, note: str = "") -> None:
        """Adds `n` units of finished work; `note` is shown behind the rate (a loss, say)."""
        self.done += n
        if self._bar is not None:
            self._bar.update(self._task, advance=n, rate=f"{self.rate:,.0f} {self.unit}/s", note=note)
        elif time.monotonic() - self._shown >= SECONDS_BETWEEN_LINES:
            self._line(note)

    def _line(self, note: str) -> None:
        self._shown = time.monotonic()
        left = (self.total - self.done) / self.rate if self.done else 0.0
        tail = "" if note == "done" else f", {left:,.0f} s left"
        log.info(
            "%s: %s of %s %s, %s %s/s%s%s",
            self.title,
            f"{self.done:,}",
            f"{self.total:,}",
            self.unit,
            f"{self.rate:,.0f}",
            self.unit,
            tail,
            f", {note}" if note else "",
        )


@contextmanager
def progress(title: str, total: int, unit: str = "events") -> Iterator[Meter]:
    """Shows progress of `total` units of work on stderr while the block runs."""
    with Meter(title, total, unit) as meter:
        yield meter
