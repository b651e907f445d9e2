"""A Dask cluster as the place where files are prepared: futures on a scheduler that the user names."""

from __future__ import annotations

from concurrent.futures import Executor
from typing import Any

from root_gnn.errors import InputError, MissingExtra

TIMEOUT = "20s"


def dask_executor(address: str) -> Executor:
    """An executor that runs its calls on the workers of the cluster at `address` (`tcp://host:8786`).

    Raises MissingExtra without the extra `cluster`, InputError where no scheduler answers.
    """
    try:
        from distributed import Client
    except ImportError as error:
        raise MissingExtra("distributed", "cluster", "preparing on a Dask cluster") from error
    try:
        client: Any = Client(address, timeout=TIMEOUT, set_as_default=False)  # type: ignore[no-untyped-call]
    except (OSError, ValueError, TypeError) as error:
        raise InputError(f"No Dask scheduler answers at {address}: {error}. Start one, or prepare with --jobs on this machine.") from error
    executor: Executor = client.get_executor(pure=False)
    return executor
