"""The page that `root-gnn prepare` writes: what was read, what is odd about it, and distributions of inputs."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from root_gnn import plots
from root_gnn._version import __version__
from root_gnn.atomic import write_text
from root_gnn.data.hygiene.report import FileSet, Report
from root_gnn.data.hygiene.text import CLASS_HEADER, FILE_HEADER, class_rows, file_rows, remark_lines, short_names
from root_gnn.data.hygiene.units import figure
from root_gnn.data.reading.graphs import ragged_rows
from root_gnn.pages.html import heading, items, note, page, paragraph, picture, table
from root_gnn.plots import Distribution
from root_gnn.runs.prepare import Prepared
from root_gnn.typing import Floats

N_GRAPH = 200_000  # graphs of a class that are looked at
N_NODE = 2_000_000  # and their nodes
N_BIN = (8, 40)  # at least and at most, as there are values
N_WHOLE = 60  # range of whole numbers that get a bin each
N_FILE_LINE = 6  # files that are told apart where there are no classes
OUTSIDE = 0.1  # per cent at either end that is left out of a picture
UNITS = {"pt": "GeV", "energy": "GeV", "phi": "rad"}

Drawn = Mapping[str, Floats]
"""Numbers by the name of a class or file."""

HOW = (
    f"From at most {N_GRAPH:,} graphs of each line, evenly spaced; shares add up to one without event weights. What "
    f"lies beyond the outermost {OUTSIDE} % of the values is not shown."
)


def write_inputs_page(prepared: Prepared) -> Path | None:
    """Writes `hygiene.html` next to the JSON file of the report and returns its path.

    Returns None where the cache cannot be written.
    """
    path = prepared.cache / f"{prepared.name}.html"
    with tempfile.TemporaryDirectory() as folder:
        parts = [
            *_figures(prepared.report),
            *_pictures(prepared.selection, prepared.report, Path(folder)),
            *_columns(prepared.selection),
        ]
    parts.append(
        paragraph(f"Written by root_gnn {__version__}. What the columns mean is in docs/hygiene.md.", "source")
    )
    with suppress(OSError):
        write_text(path, page(f"Inputs read with the spec {prepared.report.spec}", parts))
        return path
    return None


def _figures(report: Report) -> Iterator[str]:
    n_entry, n_graph = (sum(getattr(file, name) for file in report.files) for name in ("n_entry", "n_graph"))
    yield paragraph(f"{n_entry:,} entries of {len(report.files):,} files were read, and {n_graph:,} graphs kept.")
    if report.problems:
        yield note([f"These files cannot be used as they are. {problem}" for problem in report.problems])
    found = list(remark_lines(report))
    yield heading("Remarks")
    yield items(found) if found else paragraph("None: nothing odd was found.")
    yield heading("Files")
    yield table(FILE_HEADER, file_rows(report, report.files))
    if len(report.classes) > 1:
        yield heading("Classes")
        yield table(CLASS_HEADER, class_rows(report.classes))


def _columns(selection: FileSet) -> Iterator[str]:
    """The range, mean and median of each column over all files."""
    each = [shard.meta.findings.get("columns", {}) for shard in selection.shards]
    rows = []
    for name in dict.fromkeys(name for columns in each for name in columns):
        found = [
            columns[name] for columns in each if columns.get(name, {}).get("n") and columns[name]["mean"] is not None
        ]
        if not found:
            continue
        n = sum(column["n"] for column in found)
        mean = sum(column["n"] * column["mean"] for column in found) / n
        ends = min(column["min"] for column in found), max(column["max"] for column in found)
        unit = UNITS.get(name.rpartition(".")[2], "") if not name.startswith(("truth.", "globals.")) else ""
        median = float(np.median([column["median"] for column in found]))
        rows.append((name, f"{n:,}", *map(figure, (ends[0], median, mean, ends[1])), unit))
    if rows:
        yield heading("Columns")
        yield paragraph(
            "Of all objects read, before graphs were dropped; truth and globals of the graphs kept. Medians are of "
            "samples."
        )
        yield table(("column", "values", "smallest", "median", "mean", "largest", "unit"), rows)


def _pictures(selection: FileSet, report: Report, folder: Path) -> Iterator[str]:
    lines = _lines(selection, report)
    if not lines:
        return
    graphs = {name: _Sample(selection, parts) for name, parts in lines.items()}
    yield heading("Distributions")
    yield paragraph(HOW)
    spec = selection.spec
    kinds: dict[int, list[str]] = {}
    for name, collection in spec.nodes.items():
        kinds.setdefault(collection.type, []).append(name)
    yield from _picture("graphs", _per_graph(graphs), folder)
    for kind, names in kinds.items():
        panels = [_panel("number per graph", {line: sample.count(kind) for line, sample in graphs.items()})]
        for feature in spec.stored_features:
            unit = f" [{UNITS[feature]}]" if feature in UNITS else ""
            panels.append(
                _panel(
                    f"{feature}{unit}",
                    {line: sample.feature(kind, feature) for line, sample in graphs.items()},
                    is_momentum=feature in ("pt", "energy"),
                )
            )
        yield from _picture(", ".join(names), panels, folder)


def _picture(title: str, panels: Sequence[Distribution | str], folder: Path) -> Iterator[str]:
    shown = [panel for panel in panels if not isinstance(panel, str)]
    constant = [panel for panel in panels if isinstance(panel, str) and panel]
    yield heading(title, 3)
    if shown:
        path = folder / "picture.png"
        plots.distributions(shown, path)
        yield picture(path, f"{title}: {', '.join(panel.label for panel in shown)}")
    if constant:
        yield paragraph(f"The same everywhere: {', '.join(constant)}.")
    if not shown and not constant:
        yield paragraph("There are none.")


def _per_graph(graphs: Mapping[str, _Sample]) -> list[Distribution | str]:
    """Panels of what each graph has once: its size, weight and globals."""
    one = next(iter(graphs.values()))
    panels = [
        _panel("nodes per graph", {line: sample.n_node.astype(np.float64) for line, sample in graphs.items()}),
        _panel("weight", {line: sample.weight for line, sample in graphs.items()}),
    ]
    for place, name in enumerate(one.spec.globals):
        panels.append(_panel(name, {line: sample.globals[:, place] for line, sample in graphs.items()}))
    return panels


def _lines(selection: FileSet, report: Report) -> dict[str, list[tuple[int, NDArray[np.int64]]]]:
    """What is drawn as a line each: the classes, or the files where there are no classes and few files.

    Each is a list of shards with the rows that belong to it.
    """
    found: dict[str, list[tuple[int, NDArray[np.int64]]]] = {}
    names = short_names(report)
    for place, shard in enumerate(selection.shards):
        label = selection.label(place)
        rows = np.arange(shard.n_graph)
        if not selection.classes or label is None:
            few = len(selection.shards) <= N_FILE_LINE
            found.setdefault(names[report.files[place].path] if few else "all files", []).append((place, rows))
        elif isinstance(label, int):
            found.setdefault(selection.classes[label], []).append((place, rows))
        else:
            for number, name in enumerate(selection.classes):
                found.setdefault(name, []).append((place, np.flatnonzero(label == number)))
    return {name: parts for name, parts in found.items() if sum(len(rows) for _, rows in parts)}


class _Sample:
    """Some graphs of a class, evenly spaced over its files."""

    def __init__(self, selection: FileSet, parts: Sequence[tuple[int, NDArray[np.int64]]]) -> None:
        self.spec = selection.spec
        shards = [selection.shards[place] for place, _ in parts]
        n_graph = sum(len(rows) for _, rows in parts)
        n_node = sum(
            shard.meta.n_node * len(rows) / max(shard.n_graph, 1)
            for shard, (_, rows) in zip(shards, parts, strict=True)
        )
        step = max(1, -(-n_graph // N_GRAPH), -(-int(n_node) // N_NODE))
        chosen = [rows[::step] for _, rows in parts]
        counts = [shard.offsets[rows + 1] - shard.offsets[rows] for shard, rows in zip(shards, chosen, strict=True)]
        both = list(zip(shards, chosen, counts, strict=True))
        self.n_node = np.concatenate(counts)
        self.nodes = np.concatenate(
            [shard.nodes[ragged_rows(shard.offsets[rows], count)] for shard, rows, count in both]
        )
        self.weight = np.concatenate([shard.weight[rows] for shard, rows, _ in both])
        self.globals = np.concatenate([shard.globals[rows] for shard, rows, _ in both]).astype(np.float64)
        self.kind = self.nodes[:, self.spec.node_features.index("type")].astype(np.int64)

    def count(self, kind: int) -> Floats:
        """Nodes of a type in each graph."""
        owner = np.repeat(np.arange(len(self.n_node)), self.n_node)[self.kind == kind]
        return np.bincount(owner, minlength=len(self.n_node)).astype(np.float64)

    def feature(self, kind: int, name: str) -> Floats:
        """A feature of all nodes of a type."""
        chosen: Floats = self.nodes[self.kind == kind, self.spec.node_features.index(name)].astype(np.float64)
        return chosen


def _panel(label: str, values: Drawn, *, is_momentum: bool = False) -> Distribution | str:
    """Histograms of the values of each line in common bins.

    A text where all values are the same, None where there are none.
    """
    given = {name: numbers for name, numbers in values.items() if len(numbers)}
    together = np.concatenate([*given.values(), np.zeros(0)])
    if not len(together):
        return ""
    if together.min() == together.max():
        return f"{label} {figure(float(together[0]))}"
    n_bin = int(np.clip(np.sqrt(min(map(len, given.values()))), *N_BIN))
    low, high = map(float, np.percentile(together, [OUTSIDE, 100 - OUTSIDE]))
    if high <= low:
        low, high = float(together.min()), float(together.max())
    different = np.unique(together[:: max(len(together) // 10_000, 1)])
    edges = np.linspace(low, high, n_bin + 1)
    kind: Literal["even", "log", "whole"] = "even"
    if (different == np.round(different)).all() and high - low < N_WHOLE:
        edges, kind = np.arange(np.floor(low) - 0.5, np.ceil(high) + 1.0), "whole"
    elif is_momentum and low > 0:
        edges, kind = np.geomspace(low, high, n_bin + 1), "log"
    shares = {name: np.histogram(numbers, edges)[0] / len(numbers) for name, numbers in given.items()}
    return Distribution(label, edges, shares, kind)
