"""Verifies the checksums of RNTuple pages, which uproot ignores: a changed byte would become a wrong number."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import uproot
import xxhash

CHECKSUM_BYTES = 8  # XXH3 of the page, little-endian, stored behind it
COLUMN = re.compile(r"column-(\d+)")  # how uproot names the buffers of a form


def first_damaged_page(ntuple: Any, form: Any, start: int, stop: int) -> str | None:
    """The position of the first page that contradicts its checksum; None if there is none.

    Checks the pages of entries `start .. stop - 1` that hold the columns of the awkward form `form`. Pages without a
    checksum pass, as do files on a server, whose transport has its own.
    """
    if not isinstance(ntuple.file.source, uproot.MemmapSource):
        return None
    columns = {int(match[1]) for key in form.expected_from_buffers() if (match := COLUMN.search(key))}
    for page in _pages(ntuple, columns, start, stop):
        first, size = page.locator.offset, page.locator.num_bytes
        content = memoryview(ntuple.file.chunk(first, first + size + CHECKSUM_BYTES).raw_data)
        if xxhash.xxh3_64_intdigest(content[:size]) != int.from_bytes(content[size:], "little"):
            return f"the page at byte {first:,}"
    return None


def _pages(ntuple: Any, columns: set[int], start: int, stop: int) -> Iterator[Any]:
    for index, cluster in enumerate(ntuple.cluster_summaries):
        if cluster.num_first_entry < stop and cluster.num_first_entry + cluster.num_entries > start:
            for column in columns:
                yield from (page for page in ntuple.page_link_list[index][column].pages if page.has_checksum)
