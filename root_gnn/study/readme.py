"""A finished study in a page of Markdown: its key table and picture between two marks, from `study.json` alone."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from root_gnn import plots
from root_gnn.atomic import write_text
from root_gnn.errors import InputError
from root_gnn.plots import Interval

END = "<!-- end of the study -->"
COLUMNS = ("task", "training", "events", "test AUC", "less that of scratch, paired", "each seed", "claim")
FLOOR_COLUMN = "less that of boosted trees, paired"
BESIDE = ", beside "
Comparison = Mapping[str, Any]


def fill_readme(page: Path, file: Path, picture: Path | None = None) -> None:
    """Writes the table and the picture of a study's `study.json` into a Markdown page, between two marks.

    The picture shows the first task.

    `picture` lies below the page's folder; where none is named it is `study_<name>.png` in `docs/figures`. The marks
    are `<!-- study NAME: written by tools/study_table -->` and `<!-- end of the study -->`. Raises InputError where the
    file is of no study or the marks are missing.
    """
    content = _read(file)
    begin = f"<!-- study {content['name']}: written by tools/study_table -->"
    text = page.read_text(encoding="utf-8")
    before, mark, rest = text.partition(begin)
    _, end, after = rest.partition(END)
    if not mark or not end:
        raise InputError(
            f"{page}: expected the lines {begin!r} and {END!r}, between which the table of the study is written."
        )
    comparisons = content["comparisons"]
    docs = page.parent if page.parent.name == "docs" else page.parent / "docs"
    picture = picture or docs / "figures" / f"study_{content['name']}.png"
    first = _question(comparisons[0])
    curves, gains = _curves([one for one in comparisons if _question(one) == first])
    plots.training_size(curves, picture, gains=gains)
    link = picture.relative_to(page.parent).as_posix()
    image = f"![{first}: test AUC against training events, and the gain over scratch]({link})"
    write_text(
        page, f"{before}{begin}\n\n{readme_markdown(comparisons, content.get('floors', []))}\n\n{image}\n\n{end}{after}"
    )


def readme_markdown(comparisons: list[Comparison], floors: Sequence[Comparison] = ()) -> str:
    """The table: smallest and largest size of each task, a row for each way to train.

    Boosted trees have rows of their own, where there are some.
    """
    beside = {str(one["title"]).partition(BESIDE)[0]: one for one in floors}
    questions = dict.fromkeys(_question(one) for one in comparisons)
    shown = []
    for name in questions:
        own = sorted((one for one in comparisons if _question(one) == name), key=_size)
        shown += [own[0], *own[1:][-1:]]
    columns = (*COLUMNS, FLOOR_COLUMN) if floors else COLUMNS
    rows = (row for one in shown for row in _rows(one, beside.get(str(one["title"]))))
    lines = [f"| {' | '.join(cells)} |" for cells in (columns, *(row[: len(columns)] for row in rows))]
    return "\n".join([lines[0], "|---" * len(columns) + "|", *lines[1:]])


def _rows(one: Comparison, floor: Comparison | None) -> Iterator[list[str]]:
    to_scratch = {each["group"]: each for each in one["differences"]}
    to_floor = {each["group"]: each for each in floor["differences"]} if floor else {}
    for group in [*one["groups"], *(floor["groups"] if floor else [])]:
        cells = [_question(one), group["name"], f"{group['n_train']:,}", _interval(group["auc"])]
        other, above_floor = to_scratch.get(group["name"]), to_floor.get(group["name"])
        cells += (
            ["", "", ""]
            if other is None
            else [
                _interval(other["auc"], sign=True),
                " ".join(f"{seed:+.3f}" for seed in other["auc"]["per_seed"]),
                other["verdict"],
            ]
        )
        yield [
            *cells,
            "" if above_floor is None else f"{_interval(above_floor['auc'], sign=True)} {above_floor['verdict']}",
        ]


def _interval(found: Mapping[str, Any] | None, *, sign: bool = False) -> str:
    if found is None:
        return "not defined"
    form = "+.3f" if sign else ".3f"
    return f"{found['mean']:{form}} [{found['low']:{form}}, {found['high']:{form}}]"


def _curves(comparisons: list[Comparison]) -> tuple[dict[str, dict[int, Interval]], dict[str, dict[int, Interval]]]:
    """By group and size, the AUC and the gain over scratch."""
    values: dict[str, dict[int, Interval]] = {}
    gains: dict[str, dict[int, Interval]] = {}
    for one in comparisons:
        for into, each in ((values, (one["groups"], "name")), (gains, (one["differences"], "group"))):
            for row in each[0]:
                if row["auc"] is not None:
                    of = into.setdefault(row[each[1]], {})
                    of[_size(one)] = Interval(row["auc"]["mean"], row["auc"]["low"], row["auc"]["high"])
    return values, gains


def _question(one: Comparison) -> str:
    """Task and version, from `task, 1,000 training events`."""
    return str(one["title"]).rpartition(", ")[0]


def _size(one: Comparison) -> int:
    return int(one["groups"][0]["n_train"])


def _read(file: Path) -> dict[str, Any]:
    try:
        content: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        if not {"name", "comparisons", "answers"} <= set(content) or not content["comparisons"]:
            raise ValueError
    except (OSError, ValueError, TypeError) as error:
        raise InputError(f"{file}: expected study.json as root-gnn study has written it.") from error
    return content
