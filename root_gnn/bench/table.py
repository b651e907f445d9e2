"""Results from one or more JSON files as Markdown, by themselves or between two marks of a page."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from root_gnn.atomic import write_text
from root_gnn.errors import InputError

BEGIN, END = "<!-- figures: written by tools/benchmark_table -->", "<!-- end of figures -->"
HEADER = (
    "| what | ours | against | ratio [smallest..largest] (quartiles) | asked | rates | of the limit | largest "
    "difference |"
)


def bench_markdown(contents: Sequence[Mapping[str, Any]]) -> str:
    """Formats the content of JSON files as tables, case by case, after a line about each machine."""
    lines: list[str] = []
    for machine in dict.fromkeys(_machine(content["machine"]) for content in contents):
        lines += [machine, ""]
    rows = [row for content in contents for row in content["cases"]]
    if any(row["quick"] for row in rows):
        lines += ["**Quick: everything ran, and no time here means anything.**", ""]
    for case in dict.fromkeys(row["case"] for row in rows):
        for allocator in dict.fromkeys(row["allocator"] for row in rows if row["case"] == case):
            here = [row for row in rows if (row["case"], row["allocator"]) == (case, allocator)]
            lines += [
                f"### {case}, {allocator} allocator",
                "",
                _conditions(here),
                "",
                HEADER,
                "|---|---|---|---|---|---|---|---|",
            ]
            lines += [*map(_line, here), ""]
    left_out = (one for content in contents for one in content["left_out"])
    lines += dict.fromkeys(f"Left out: {one['what']} ({one['case']}): {one['reason']}." for one in left_out)
    return "\n".join(lines).rstrip() + "\n"


def fill_page(page: Path, files: Sequence[Path]) -> None:
    """Writes the tables of JSON files between the marks of a page.

    Raises:
        InputError: where a file or a mark is missing.
    """
    text = page.read_text(encoding="utf-8")
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise InputError(f"{page}: expected the lines {BEGIN!r} and {END!r}, between which the figures are written.")
    write_text(page, f"{before}{BEGIN}\n\n{bench_markdown([read_results(file) for file in files])}\n{END}{after}")


def read_results(file: Path) -> dict[str, Any]:
    """Reads what `root-gnn bench` wrote; raises InputError for any other file."""
    try:
        content: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        if not {"machine", "cases", "left_out"} <= set(content):
            raise ValueError
    except (OSError, ValueError, TypeError) as error:
        raise InputError(f"{file}: expected a file that root-gnn bench --out has written.") from error
    return content


def _machine(machine: Mapping[str, Any]) -> str:
    packages = ", ".join(f"{name} {version}" for name, version in machine["packages"].items())
    memory = f", {machine['memory_gib']:.0f} GiB" if machine["memory_gib"] else ""
    return (
        f"{machine['cpu']}, {machine['cores']} cores{memory}, {machine['instruction_set']}, "
        f"{machine['gpu'] or 'no GPU'}; "
        f"Python {machine['python']}, PyTorch {machine['torch']}, {packages}; {machine['libc']}."
    )


def _conditions(rows: Sequence[Mapping[str, Any]]) -> str:
    first = rows[0]
    cores = "one core" if first["cores"] == 1 else f"{first['cores']} cores"
    busy = f", load {first['load']} at the start" if first["load"] is not None else ""
    return f"{cores}, {first['rounds']} rounds{busy}."


def _line(row: Mapping[str, Any]) -> str:
    lower, upper = row["quartiles"]
    spread = (
        f"{_number(row['ratio'])} [{_number(row['low'])}..{_number(row['high'])}] ({_number(lower)}, {_number(upper)})"
    )
    asked = [f"{_number(row['target'])}"] if row["target"] is not None else []
    asked += [f"{_number(row['between'][0])} to {_number(row['between'][1])}"] if row["between"] else []
    asked += [f"{row['limit_target']:.2f} of the limit"] if row["limit_target"] is not None else []
    met = {True: "", False: " (**missed**)", None: ""}[row["passes"]]
    if row["allocator"] == "default":  # reported beside the other one, of which things are asked
        asked, met = [], ""
    rates = ", ".join(f"{name} {_number(rate)}" for name, rate in row["rates"].items())
    cells = [
        row["what"] + (f" ({row['note']})" if row["note"] else ""),
        row["ours"],
        row["reference"] or "",
        spread,
        " and ".join(asked) + met,
        f"{rates} {row['unit']}".strip(),
        f"{row['limit_fraction']:.2f}" if row["limit_fraction"] is not None else "",
        f"{row['max_difference']:.1e}" if row["max_difference"] is not None else "",
    ]
    return f"| {' | '.join(cells)} |"


def _number(value: float) -> str:
    """Formats a number with three digits and separated thousands."""
    if abs(value) >= 100:
        digits = len(str(int(abs(value))))
        return f"{round(value, 3 - digits):,.0f}"
    return f"{value:.3g}"
