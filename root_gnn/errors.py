"""The exceptions that a user is meant to see: the input is wrong, and the message says what to do."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class InputError(Exception):
    """The user's input is wrong.

    The message says in one paragraph what was expected, what came, where (file, line or key, branch, entry) and what to
    do. The command line prints it on stderr and exits with 2. Any other exception that escapes is a bug (exit code 1).
    """


class NullValueError(InputError):
    """A branch has a missing number, in a format that distinguishes missing from NaN; `branch` is its name."""

    def __init__(self, message: str, *, branch: str) -> None:
        super().__init__(message)
        self.branch = branch

    def __reduce__(self) -> tuple[type[InputError], tuple[str]]:
        return InputError, (str(self),)


class MissingExtraError(InputError):
    """An optional package is needed and not installed."""

    def __init__(self, package: str, extra: str, purpose: str) -> None:
        super().__init__(
            f"{purpose} needs the package {package}, which is not installed. Install it with: pip "
            f"install 'root_gnn[{extra}]'"
        )

    def __reduce__(self) -> tuple[type[InputError], tuple[str]]:
        return InputError, (str(self),)  # what comes out of another process is its text


def suggest(word: str, known: Iterable[str]) -> str:
    """Returns `'; did you mean X?'` for the nearest known words, or the list of all where none is near."""
    known = list(known)
    near = difflib.get_close_matches(word, known, n=3, cutoff=0.6)
    if near:
        return f"; did you mean {' or '.join(near)}?"
    return f"; known are: {', '.join(known)}" if known else ""
