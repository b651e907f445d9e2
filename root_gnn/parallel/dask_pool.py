"""A Dask cluster as the place where files are prepared or trainings run: futures on a scheduler that the user names."""

from __future__ import annotations

import socket
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any

from root_gnn.errors import InputError, MissingExtra

SECONDS = 20.0  # to wait for the scheduler


class DaskPool(Executor):
    """Runs calls on the workers of a cluster; its end closes the connection and leaves the cluster as it is."""

    def __init__(self, client: Any) -> None:
        self._client, self._futures = client, client.get_executor(pure=False)

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """The call's future."""
        future: Future[Any] = self._futures.submit(fn, *args, **kwargs)
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Waits for what was submitted, or cancels it, and closes the connection."""
        if self._client is not None:
            self._futures.shutdown(wait=wait and not cancel_futures)
            self._client.close()
            self._client = None


def dask_executor(
    address: str,
    *,
    purpose: str = "Preparing on a Dask cluster",
    instead: str = "prepare with --jobs",
) -> DaskPool:
    """An executor that runs its calls on the workers of the cluster at `address` (`tcp://host:8786`).

    `purpose` and `instead` are words for the errors: MissingExtra without the extra `cluster`, InputError where no scheduler answers.
    """
    try:
        from distributed import Client
        from distributed.comm.addressing import get_address_host_port
    except ImportError as error:
        raise MissingExtra("distributed", "cluster", purpose) from error
    try:
        with socket.create_connection(get_address_host_port(address), SECONDS):
            pass  # a client that cannot connect would not end cleanly
        client: Any = Client(address, timeout=SECONDS, set_as_default=False)  # type: ignore[no-untyped-call]
    except (OSError, ValueError, TypeError) as error:
        raise InputError(
            f"No Dask scheduler answers at {address}: {error}. Start one, or {instead} on this machine."
        ) from error
    return DaskPool(client)
