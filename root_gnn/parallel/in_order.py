"""A few processes that work through tasks and give the results back in order."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from typing import TypeVar

Task = TypeVar("Task")
Result = TypeVar("Result")

_AHEAD = 2  # tasks per process that may be waiting or done: bounds the memory when the first one is slow


def run_in_order(function: Callable[[Task], Result], tasks: Iterable[Task], *, jobs: int) -> Iterator[Result]:
    """`map(function, tasks)` on `jobs` processes, with results in the order of the tasks.

    Closing the iterator, an interrupt or an error stops the workers at once; workers also end when this process is killed.
    """
    if jobs == 1:
        yield from map(function, tasks)
        return
    before = set(multiprocessing.active_children())
    executor = ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("spawn"), initializer=_start_worker)
    waiting: deque[Future[Result]] = deque()
    try:
        for task in tasks:
            waiting.append(executor.submit(function, task))
            if len(waiting) >= jobs * (1 + _AHEAD):
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        if waiting:
            for child in set(multiprocessing.active_children()) - before:
                child.terminate()
        executor.shutdown(cancel_futures=True)


def _start_worker() -> None:
    """Leaves Ctrl-C to the parent, and ends when the parent is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
