"""Checksums change with any byte, fingerprints with size and both ends."""

from __future__ import annotations

import hashlib
from pathlib import Path

import xxhash

from root_gnn.data.formats.checksum import BLOCK, BUFFER_BYTES, checksum, fingerprint


def test_the_checksum_is_xxh3_of_all_bytes(tmp_path: Path) -> None:
    content = bytes(range(256)) * (BUFFER_BYTES // 256) + b"more than one buffer"
    path = tmp_path / "file"
    path.write_bytes(content)
    assert checksum(path) == xxhash.xxh3_128_hexdigest(content)


def test_the_fingerprint_reads_size_and_both_ends(tmp_path: Path) -> None:
    content = bytearray(3 * BLOCK)
    path, moved = tmp_path / "file", tmp_path / "moved"
    path.write_bytes(content)
    digest = hashlib.sha256(str(len(content)).encode() + content[:BLOCK] + content[-BLOCK:]).digest()
    assert fingerprint(path) == int.from_bytes(digest[:8], "little") >> 1
    moved.write_bytes(content)
    assert fingerprint(moved) == fingerprint(path)
    content[-1] = 1
    moved.write_bytes(content)
    assert fingerprint(moved) != fingerprint(path)
