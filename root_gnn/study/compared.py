"""Tables of comparisons by training size."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from root_gnn.analysis.comparison import Comparison
from root_gnn.pages.html import table


def compared_tables(comparisons: Mapping[int, Comparison]) -> Iterator[str]:
    """Tables of the groups at every size, and of their differences to the reference."""
    first = next(iter(comparisons.values()))
    yield table(first.figures()[0], [row for one in comparisons.values() for row in one.figures()[1]])
    for k, (header, _) in enumerate(first.paired()):
        rows = [(row[0], f"{size:,}", *row[1:]) for size, one in comparisons.items() for row in one.paired()[k][1]]
        yield table((header[0], "training events", *header[1:]), rows)
