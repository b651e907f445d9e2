"""Remarks on one prepared file, in plain words; none where all is well."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from root_gnn.data.cache.shard import Shard
from root_gnn.data.hygiene import units as scales
from root_gnn.data.spec.spec import Spec

N_CONSTANT = 20  # values that make a constant column worth a word
LARGE = 1000  # nodes; a complete graph of so many has a million edges
N_NAMED = 4  # things that are named one by one


def remarks_on(shard: Shard, spec: Spec) -> Iterator[str]:
    """What a reader should know about a file."""
    found = shard.meta.findings
    if not found.get("n_entry", shard.n_graph):
        yield "the file has no entries"
    elif not shard.n_graph:
        yield "nothing is left of the entries"
    yield from _counted("NaN", found.get("nan", {}))
    yield from _counted("infinite", found.get("infinite", {}))
    yield from _counted(f"filled with {spec.fill:g}", found.get("filled", {}))
    for branch, values in found.get("sentinels", {}).items():
        for value, number in values.items():
            yield f"{branch} is {value} {number:,} times, which often means “not measured” (`missing` in the spec)"
    for collection, number in found.get("unsorted", {}).items():
        yield f"{collection}: not in falling order of pt in {_graphs(number)}"
    for collection, number in found.get("wrapped", {}).items():
        yield f"{collection}: {number:,} phi outside [-pi, pi], wrapped into it"
    if found.get("n_zero"):
        yield f"weight zero in {_graphs(found['n_zero'])}"
    if shard.meta.n_empty:
        yield f"{_graphs(shard.meta.n_empty)} without nodes, which training leaves out"
    if found.get("max_node", 0) > LARGE:
        yield f"the largest graph has {found['max_node']:,} nodes"
    yield from _constant(found.get("columns", {}))
    yield from scales.unit_remarks(found.get("columns", {}), alike=spec.graph_per is None)


def _graphs(number: int) -> str:
    return "1 graph" if number == 1 else f"{number:,} graphs"


def _counted(what: str, counts: Mapping[str, int]) -> Iterator[str]:
    if counts:
        named = ", ".join(f"{number:,} in {branch}" for branch, number in list(counts.items())[:N_NAMED])
        more = f" and in {len(counts) - N_NAMED} more branches" if len(counts) > N_NAMED else ""
        yield f"{what}: {named}{more}"


def _constant(columns: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """Columns with one value everywhere; truth may well have one, so it is left out."""
    ours = {
        name: column
        for name, column in columns.items()
        if column.get("n", 0) >= N_CONSTANT and not name.startswith("truth.")
    }
    found = [
        (name, column["min"])
        for name, column in ours.items()
        if column["min"] is not None and column["min"] == column["max"]
    ]
    if found:
        named = ", ".join(f"{name} is {value:g}" for name, value in found[:N_NAMED])
        more = f" and {len(found) - N_NAMED} more" if len(found) > N_NAMED else ""
        yield f"the same everywhere: {named}{more}"
