"""What all pools have in common: calls are submitted one by one or many at once, and can be stopped."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import Executor, Future
from typing import Any


class Pool(Executor):
    """An executor of `concurrent.futures` for calls that take seconds to hours.

    Attributes:
        n_at_once: how many calls it runs at a time; None where it takes as many as there are.
    """

    n_at_once: int | None = None

    def submit_all(self, fn: Callable[..., Any], calls: Iterable[tuple[Any, ...]]) -> list[Future[Any]]:
        """Submits `fn` once with each tuple of arguments and returns the futures in the same order."""
        return [self.submit(fn, *args) for args in calls]

    def stop(self) -> None:
        """Cancels the calls that wait and those that run, as far as the pool can."""
        self.shutdown(cancel_futures=True)
