"""The command line in this process."""

from __future__ import annotations

import signal
from collections.abc import Callable

import pytest

from root_gnn import cli


@pytest.fixture
def leave() -> Callable[..., int]:
    """`leave(*arguments)` is the exit code of a command line; what handles SIGTERM is put back."""

    def run(*arguments: str) -> int:
        before = signal.getsignal(signal.SIGTERM)
        try:
            with pytest.raises(SystemExit) as left:
                cli.main(arguments)
        finally:
            signal.signal(signal.SIGTERM, before)
        assert isinstance(left.value.code, int)
        return left.value.code

    return run
