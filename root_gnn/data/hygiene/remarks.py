"""Remarks on one prepared file, in plain words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from root_gnn.data.cache.shard import Shard
from root_gnn.data.hygiene.units import energy_remarks, unit_remarks
from root_gnn.data.spec.spec import Spec

N_CONSTANT = 20  # a constant column with fewer values is not reported
LARGE = 1000  # nodes; the complete graph has a million edges
N_NAMED = 4  # items that are listed by name


def remarks_on(shard: Shard, spec: Spec) -> Iterator[str]:
    """Yields what a user should know about a file, one sentence each; nothing if all is well."""
    findings = shard.meta.findings
    if not findings.get("n_entry", shard.n_graph):
        yield "the file has no entries"
    elif not shard.n_graph:
        yield "nothing is left of the entries"
    yield from _counted("NaN", findings.get("nan", {}))
    yield from _counted("infinite", findings.get("infinite", {}))
    yield from _counted(f"filled with {spec.fill:g}", findings.get("filled", {}))
    for branch, values in findings.get("sentinels", {}).items():
        for value, number in values.items():
            yield f"{branch} is {value} {number:,} times, which often means “not measured” (`missing` in the spec)"
    for collection, number in findings.get("unsorted", {}).items():
        yield f"{collection}: not in falling order of pt in {_graphs(number)}"
    for collection, number in findings.get("wrapped", {}).items():
        yield f"{collection}: {number:,} phi outside [-pi, pi], wrapped into it"
    if findings.get("n_zero"):
        yield f"weight zero in {_graphs(findings['n_zero'])}"
    if shard.meta.n_empty:
        yield f"{_graphs(shard.meta.n_empty)} without nodes, which training leaves out"
    if findings.get("max_node", 0) > LARGE:
        yield f"the largest graph has {findings['max_node']:,} nodes"
    yield from _constant(findings.get("columns", {}))
    yield from unit_remarks(findings.get("columns", {}), alike=spec.graph_per is None)
    yield from energy_remarks(findings.get("energy_over_momentum", {}))


def _graphs(number: int) -> str:
    return "1 graph" if number == 1 else f"{number:,} graphs"


def _counted(what: str, counts: Mapping[str, int]) -> Iterator[str]:
    if counts:
        named = ", ".join(f"{number:,} in {branch}" for branch, number in list(counts.items())[:N_NAMED])
        more = f" and in {len(counts) - N_NAMED} more branches" if len(counts) > N_NAMED else ""
        yield f"{what}: {named}{more}"


def _constant(columns: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """Yields a remark on columns with one value everywhere, truth aside, which may well be constant."""
    ours = {
        name: column
        for name, column in columns.items()
        if column.get("n", 0) >= N_CONSTANT and not name.startswith("truth.")
    }
    findings = [
        (name, column["min"])
        for name, column in ours.items()
        if column["min"] is not None and column["min"] == column["max"]
    ]
    if findings:
        named = ", ".join(f"{name} is {value:g}" for name, value in findings[:N_NAMED])
        more = f" and {len(findings) - N_NAMED} more" if len(findings) > N_NAMED else ""
        yield f"the same everywhere: {named}{more}"
