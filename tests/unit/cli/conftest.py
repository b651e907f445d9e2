"""The command line in this process."""

from __future__ import annotations

import signal
from collections.abc import Callable

import pytest

from root_gnn.cli import app


@pytest.fixture
def leave() -> Callable[..., int]:
    """`leave(*arguments)` is the exit code of a command line; the handler of SIGTERM is put back."""

    def run(*arguments: object) -> int:
        before = signal.getsignal(signal.SIGTERM)
        try:
            with pytest.raises(SystemExit) as left:
                app.main([str(argument) for argument in arguments])
        finally:
            signal.signal(signal.SIGTERM, before)
        assert isinstance(left.value.code, int)
        return left.value.code

    return run
