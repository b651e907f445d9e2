"""A hygiene report as text for a terminal: a line for each file, then the remarks."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from root_gnn.data.hygiene.report import FileReport, Report, WeightSummary

N_LINE = 40  # with more files, only those with remarks are listed
NOTHING = "\N{EN DASH}"

FILE_HEADER = (
    "file",
    "class",
    "read",
    "kept",
    "dropped",
    "empty",
    "largest",
    *(WEIGHTS := ("sum of weights", "negative", "effective")),
)
CLASS_HEADER = ("class", "kept", *WEIGHTS)
WORDS = ("file", "class", "dropped")


def as_text(report: Report) -> str:
    """Returns the report as text."""
    n_entry, n_graph = (sum(getattr(file, name) for file in report.files) for name in ("n_entry", "n_graph"))
    number = "1 file" if len(report.files) == 1 else f"{len(report.files):,} files"
    lines = [f"{number}, spec {report.spec}: {n_entry:,} entries read, {n_graph:,} graphs kept", ""]
    shown = [file for file in report.files if len(report.files) <= N_LINE or file.remarks]
    lines += text_columns([FILE_HEADER, *file_rows(report, shown)]) if shown else []
    if len(shown) < len(report.files):
        lines.append(f"and {len(report.files) - len(shown):,} more without remarks")
    if len(report.classes) > 1:
        lines += ["", *text_columns([CLASS_HEADER, *class_rows(report.classes)])]
    notes = list(remark_lines(report))
    return "\n".join([*lines, *([""] if notes else []), *notes])


def remark_lines(report: Report) -> Iterator[str]:
    """Yields every remark after the file it concerns; the same remark on several files is one line."""
    names = short_names(report)
    about: dict[str, list[str]] = {}
    for file in report.files:
        for remark in file.remarks:
            about.setdefault(remark, []).append(names[file.path])
    for remark, files in about.items():
        yield f"{', '.join(files[:3])}{f' and {len(files) - 3} more' if len(files) > 3 else ''}: {remark}"
    yield from report.remarks
    for reason in report.skipped.values():
        yield f"skipped: {reason}"


def file_rows(report: Report, files: Sequence[FileReport]) -> Iterator[tuple[str, ...]]:
    """Yields a row of text for each file, columns as in `FILE_HEADER`."""
    names = short_names(report)
    for file in files:
        dropped = ", ".join(f"{number:,} {reason}" for reason, number in file.dropped.items())
        yield (
            names[file.path],
            ", ".join(file.classes) or NOTHING,
            f"{file.n_entry:,}",
            f"{file.n_graph:,}",
            dropped or NOTHING,
            f"{file.n_empty:,}",
            f"{file.max_node:,}",
            *_weights(file.weights),
        )


def class_rows(classes: Mapping[str, WeightSummary]) -> Iterator[tuple[str, ...]]:
    """Yields a row of text for each class, columns as in `CLASS_HEADER`."""
    for name, weights in classes.items():
        yield (name, f"{weights.n:,}", *_weights(weights))


def short_names(report: Report) -> dict[str, str]:
    """Returns for each path its part below the folder that all files have in common."""
    paths = [file.path for file in report.files]
    common = os.path.commonpath([Path(path).parent for path in paths]) if paths else ""
    return {path: os.path.relpath(path, common) if common else path for path in paths}


def text_columns(rows: Sequence[Sequence[str]]) -> list[str]:
    """Returns lines of aligned columns: words to the left, numbers to the right; the first row holds the headers."""
    width = [max(map(len, column)) for column in zip(*rows, strict=True)]
    is_number = [name not in WORDS for name in rows[0]]
    return [
        "  ".join(
            cell.rjust(n) if right else cell.ljust(n) for cell, n, right in zip(row, width, is_number, strict=True)
        ).rstrip()
        for row in rows
    ]


def _weights(weights: WeightSummary) -> tuple[str, str, str]:
    share = weights.n_negative / weights.n if weights.n else 0.0
    return f"{weights.total:,.6g}", f"{100 * share:.1f} %", f"{weights.effective:,.0f}"
