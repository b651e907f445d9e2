"""A pool that runs its calls on the workers of a Dask cluster, whose scheduler the user names."""

from __future__ import annotations

import socket
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from root_gnn.errors import InputError, MissingExtraError
from root_gnn.parallel.pool import Pool

SECONDS_TO_CONNECT = 20.0


class DaskPool(Pool):
    """Runs calls on the workers of a cluster; `shutdown` closes the connection and leaves the cluster as it is."""

    def __init__(self, address: str, *, purpose: str) -> None:
        """Connects to the scheduler at `address` (`tcp://host:8786`); `purpose` is for errors ("Running a study").

        Raises MissingExtraError without the extra `cluster`, InputError where no scheduler answers.
        """
        try:
            from distributed import Client
            from distributed.comm.addressing import get_address_host_port
        except ImportError as error:
            raise MissingExtraError("distributed", "cluster", f"{purpose} on a Dask cluster") from error
        try:
            with socket.create_connection(get_address_host_port(address), SECONDS_TO_CONNECT):
                pass  # a client that cannot connect would not end cleanly
            connect: Any = Client
            self._client: Any = connect(address, timeout=SECONDS_TO_CONNECT, set_as_default=False)
        except (OSError, ValueError, TypeError) as error:
            raise InputError(
                f"No Dask scheduler answers at {address}: {error}. Start one, or use --jobs on this machine instead."
            ) from error
        self._executor: Any = self._client.get_executor(pure=False)

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Submits a call to the cluster and returns its future."""
        future: Future[Any] = self._executor.submit(fn, *args, **kwargs)
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Waits for the submitted calls, or cancels them, and closes the connection."""
        if self._client is not None:
            self._executor.shutdown(wait=wait and not cancel_futures)
            self._client.close()
            self._client = None
