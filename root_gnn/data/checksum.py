"""Numbers that tell whether bytes changed."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Event

from root_gnn.data.location import Remote

BLOCK = 2**20
AT_A_TIME = 2**22


def sha256(path: Path, *, until: Event | None = None) -> str:
    """Hexadecimal SHA-256 of a whole local file, or of what identifies one on a server; of less once `until` is set."""
    if isinstance(path, Remote):
        return path.identity()
    digest, buffer = hashlib.sha256(), bytearray(AT_A_TIME)
    with path.open("rb", buffering=0) as file:
        while not (until and until.is_set()) and (n_byte := file.readinto(buffer)):
            digest.update(memoryview(buffer)[:n_byte])
    return digest.hexdigest()


@contextmanager
def sha256_meanwhile(path: Path) -> Iterator[Callable[[], str]]:
    """The SHA-256 of a file, computed beside what the block does; what is yielded waits for it."""
    left = Event()
    with ThreadPoolExecutor(1) as thread:
        try:
            yield thread.submit(sha256, path, until=left).result
        finally:
            left.set()


def fingerprint(path: Path) -> int:
    """63 bits from a file's size, first and last MiB: the same wherever the file lies and whatever it is called."""
    size = path.stat().st_size
    digest = hashlib.sha256(str(size).encode())
    with path.open("rb") as file:
        digest.update(file.read(BLOCK))
        file.seek(max(size - BLOCK, 0))
        digest.update(file.read(BLOCK))
    return int.from_bytes(digest.digest()[:8], "little") >> 1
