"""What all pools inherit."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from root_gnn.parallel.pool import Pool


class Recorder(Pool):
    """Keeps what it was asked for."""

    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []
        self.is_cancelled = False

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Calls at once."""
        self.calls.append(args)
        future: Future[Any] = Future()
        future.set_result(fn(*args, **kwargs))
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Remembers whether the calls were cancelled."""
        del wait  # nothing runs
        self.is_cancelled = cancel_futures


def test_many_calls_are_submitted_in_order_and_stopping_cancels() -> None:
    pool = Recorder()
    assert [future.result() for future in pool.submit_all(divmod, [(7, 2), (9, 4)])] == [(3, 1), (2, 1)]
    assert pool.calls == [(7, 2), (9, 4)] and not pool.is_cancelled
    pool.stop()
    assert pool.is_cancelled
