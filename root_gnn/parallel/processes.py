"""A pool of processes of this machine, and a map over tasks whose results come in order."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import BrokenExecutor, Future, ProcessPoolExecutor
from threading import Thread
from typing import Any, TypeVar

from root_gnn.parallel.pool import Pool

Task = TypeVar("Task")
Result = TypeVar("Result")

_N_AHEAD = 2  # tasks per process that may be waiting or done: bounds the memory while the first one is slow
_SECONDS_BETWEEN_SIGNALS = 0.5


class ProcessPool(Pool):
    """Runs calls in `n_at_once` spawned processes, which end when this process ends, even where it is killed.

    A process that dies (out of memory, say) breaks the calls that run at the same time; later ones get new processes.
    """

    def __init__(self, n_at_once: int, initializer: Callable[[], object] | None = None) -> None:
        """Prepares the pool; each process calls `initializer` when it starts."""
        self.n_at_once = n_at_once
        self._initializer = initializer
        self._others = set(multiprocessing.active_children())
        self._executor = self._new_executor()

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Submits a call and returns its future; the first call starts the processes."""
        try:
            return self._executor.submit(fn, *args, **kwargs)
        except BrokenExecutor:
            self._executor = self._new_executor()
            return self._executor.submit(fn, *args, **kwargs)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Waits for the calls that run and, unless they are cancelled, for those that wait."""
        self._executor.shutdown(wait=wait, cancel_futures=cancel_futures)

    def stop(self) -> None:
        """Cancels the calls that wait and sends SIGTERM to the processes, without waiting for their end."""
        self.shutdown(wait=False, cancel_futures=True)
        self.terminate()

    def terminate(self) -> None:
        """Sends SIGTERM to the processes."""
        for child in set(multiprocessing.active_children()) - self._others:
            child.terminate()

    def _new_executor(self) -> ProcessPoolExecutor:
        context = multiprocessing.get_context("spawn")
        return ProcessPoolExecutor(
            self.n_at_once, mp_context=context, initializer=_start_worker, initargs=(self._initializer,)
        )


def run_in_order(function: Callable[[Task], Result], tasks: Iterable[Task], *, jobs: int) -> Iterator[Result]:
    """Yields `map(function, tasks)`, computed by `jobs` processes, with results in the order of the tasks.

    Closing the iterator, an interrupt or an error stops the workers at once; they also end when this process is killed.
    """
    if jobs == 1:
        yield from map(function, tasks)
        return
    pool = ProcessPool(jobs, _leave_interrupts_to_parent)
    waiting: deque[Future[Result]] = deque()
    try:
        for task in tasks:
            waiting.append(pool.submit(function, task))
            if len(waiting) >= jobs * (1 + _N_AHEAD):
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        if waiting:
            pool.terminate()
        pool.shutdown(cancel_futures=True)


def _leave_interrupts_to_parent() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _start_worker(initializer: Callable[[], object] | None) -> None:
    if initializer is not None:
        initializer()
    Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
    # A training handles the first signal: it saves a checkpoint and returns. The next one ends the idle process.
    while True:
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(_SECONDS_BETWEEN_SIGNALS)
