"""Memory use, measured in a process of its own."""

from __future__ import annotations

import ctypes
import gc
import multiprocessing
import os
import re
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from root_gnn.bench.timing import Run

KIB, MIB = 2**10, 2**20
BETWEEN_LOOKS = 0.02  # seconds


class PeakMemory:
    """What a watched process returned.

    Attributes:
        result: what the function returned.
        seconds: wall time.
        before_mib: memory before the function began, in MiB.
        peak_mib: largest memory, in MiB.
    """

    def __init__(self, result: Any, *, seconds: float, before: int, peak: int) -> None:
        self.result, self.seconds = result, seconds
        self.before_mib, self.peak_mib = before / MIB, peak / MIB


def watched(function: Callable[..., Any], *arguments: Any) -> PeakMemory:
    """Runs a module's function in a new process and samples its anonymous memory, children included, 50 times a second.

    Mapped files are not counted. The memory before the function begins (its imports) is `before_mib`.

    Raises:
        RuntimeError: where it ends without a result.
    """
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_answer, args=(there, function, arguments))
    process.start()
    there.close()
    try:
        here.recv()  # everything is imported
        before = peak = anonymous(process.pid or 0)
        start = time.perf_counter()
        here.send(None)
        while not here.poll(BETWEEN_LOOKS):
            peak = max(peak, anonymous(process.pid or 0))
        seconds, result = time.perf_counter() - start, here.recv()
    except EOFError:
        raise RuntimeError(f"the process that was to be measured ended without a result: {function.__name__}") from None
    finally:
        process.join()
    return PeakMemory(result, seconds=seconds, before=before, peak=peak)


def _answer(connection: Connection, function: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    connection.send(None)
    connection.recv()
    connection.send(function(*arguments))


def anonymous(process: int) -> int:
    """Returns RssAnon of a process and all its children in bytes; 0 where it has ended."""
    try:
        status = Path(f"/proc/{process}/status").read_text(encoding="utf-8")
        children = Path(f"/proc/{process}/task/{process}/children").read_text(encoding="utf-8").split()
    except OSError:
        return 0
    return _field(status, "RssAnon") + sum(anonymous(int(child)) for child in children)


def peak(run: Run) -> int:
    """Returns by how many bytes the resident memory of this process grows at most while `run` runs.

    It is exact, and for Linux only. Memory that was freed before goes back to the system first. Call it in a process of
    its own, after a run of something smaller.
    """
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    Path("/proc/self/clear_refs").write_text("5", encoding="utf-8")  # the largest so far is forgotten
    before = _own("VmRSS")
    run()
    return _own("VmHWM") - before


def _own(name: str) -> int:
    return _field(Path(f"/proc/{os.getpid()}/status").read_text(encoding="utf-8"), name)


def _field(status: str, name: str) -> int:
    found = re.search(rf"^{name}:\s+(\d+) kB", status, re.MULTILINE)
    return KIB * int(found[1]) if found else 0
