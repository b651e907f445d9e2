"""The description of a file, and its text for people."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from root_gnn.data.inspection import layout
from root_gnn.data.inspection.choice import Choice
from root_gnn.data.inspection.draft import Draft
from root_gnn.data.inspection.layout import BranchGroup, LeafBranch
from root_gnn.data.inspection.naming import RELATIVE, SPLITS
from root_gnn.data.inspection.survey import Unit
from root_gnn.errors import InputError

WIDTH = 100
LABEL = 13
FEW = 10
FEWER = 6
UNBROKEN = "\xa0"  # textwrap breaks no line here


@dataclass
class Description:
    """The result of `inspect`; `str()` is for people, `draft_spec()` for `root-gnn prepare`.

    Attributes:
        path, format: the file, and what its first bytes say it is.
        trees: the entries of each tree or table, None where they were not counted.
        tree: the one described; empty where the format has one table.
        leaves: its branches.
        collections, slots: groups of branches with momenta, and numbered objects, in the order of the file.
        choice, units: the groups that become nodes, and the unit of each.
        draft: the spec, or why there is none.
        sentinels: by branch, numbers such as -999 in the first entries.
        shipped: shipped specs that files like this one fit.
        nulls: branches left aside because they have nulls, where they were looked at.
    """

    path: Path
    format: str
    trees: dict[str, int | None]
    tree: str
    leaves: dict[str, LeafBranch]
    collections: list[BranchGroup]
    slots: list[BranchGroup]
    choice: Choice
    units: dict[str, Unit]
    draft: Draft | str
    sentinels: dict[str, tuple[float, ...]] = field(default_factory=dict)
    shipped: list[str] = field(default_factory=list)
    nulls: list[str] = field(default_factory=list)

    @property
    def n_entry(self) -> int:
        """Number of entries of the described tree."""
        return self.trees[self.tree] or 0

    @property
    def nodes(self) -> dict[str, BranchGroup]:
        """The groups that become nodes of a drafted spec, by collection."""
        return self.choice.nodes

    def draft_spec(self) -> str:
        """Returns YAML of a data spec for such files, to be checked by eye; raises InputError if there is no draft."""
        if isinstance(self.draft, str):
            where = f"{self.path}, {self.tree}" if self.tree else str(self.path)
            advice = f"Try the shipped spec {self.shipped[0]}, which fits, or write" if self.shipped else "Write"
            raise InputError(f"{where}: no spec can be drafted: {self.draft}. {advice} one by hand, see docs/data.md.")
        return str(self.draft)

    def __str__(self) -> str:
        return "\n".join(_lines(self))


def _lines(found: Description) -> Iterator[str]:
    """Yields lines on trees, nodes, columns of the event or jet, and all other branches."""
    yield f"{found.path}: {found.format}, {_size(found.path.stat().st_size)}"
    for name, n_entry in found.trees.items():
        count = "" if n_entry is None else _number(n_entry, "entry", "entries")
        here = (
            ", "
            + _number(len(found.leaves), "branch", "branches")
            + (" (described below)" if len(found.trees) > 1 else "")
        )
        yield (
            "  "
            + ": ".join(filter(None, (f"tree {name}" if name else "", count)))
            + (here if name == found.tree else "")
        )
    yield from ("", "Nodes of a graph")
    for name, group in found.nodes.items():
        yield from _node(found, name, group)
    if isinstance(found.draft, str):
        yield from _wrapped("none", [found.draft])
    yield from ("", "Of the jet" if found.choice.of_constituents else "Of the event", *_event(found))
    more = list(_more(found))
    yield from ("", "Also there", *more) if more else ()


def _node(found: Description, name: str, group: BranchGroup) -> Iterator[str]:
    unit = found.units[name]
    shape = f"arrays of {group.size}" if group.size else "a list per entry" if group.deep else "one per entry"
    if group.slots:
        shape = f"{len(group.slots)} numbered %SLOT%: {_cut(group.slots, FEWER)}"
    counted = (
        f", counted by {group.counter}"
        if group.counter
        else f", there where {group.mask} is not 0"
        if group.mask
        else ""
    )
    counted += f", those with {group.where}" if group.where else ""
    yield from _wrapped(name, [f"{shape}{counted}; {unit.name}: {unit.reason}"])
    used = group.features or {key: group.columns[key] for key in RELATIVE}
    yield from _wrapped(
        "", [", ".join(branch if key == branch else f"{key}{UNBROKEN}{branch}" for key, branch in used.items())]
    )
    others = [branch for branch in group.columns.values() if branch not in used.values()]
    if others and name != "met":
        yield from _wrapped("", [f"and {_cut(others, FEW)}"])


def _event(found: Description) -> Iterator[str]:
    leaves = found.leaves
    one_hot, split = layout.one_hot_of(leaves), layout.split_column(leaves)
    labels = list(one_hot.values()) or list(layout.label_groups(leaves))
    truth = [name for name in layout.truth_of(leaves) if name not in labels]
    n_nominal, names = layout.variations_of(leaves)
    yield from _wrapped("id", [", ".join(layout.ids_of(leaves)) or "none found: told apart by file and entry"])
    yield from _wrapped("weight", [_cut(layout.weights_of(leaves), FEW) or "none found: 1 each"])
    if found.choice.jet:
        yield from _wrapped("numbers", [_cut(found.choice.jet.columns.values(), FEW)])
    if labels:
        yield from _wrapped("label", [_cut(labels, FEW) + (" (one of them is 1)" if one_hot else "")])
    if split:
        yield from _wrapped(
            "split", [f"{split} (0, 1, 2 for train, validation, test)" if split == SPLITS[0] else split]
        )
    if truth:
        yield from _wrapped("truth", [_cut(truth, FEW)])
    if n_nominal:
        varied = f"variations: {_cut(names, FEW)}" if len(names) > 1 else "no other variation in this file"
        yield from _wrapped("systematics", [f"NOSYS in branch names: {n_nominal}; {varied}"])


def _more(found: Description) -> Iterator[str]:
    leaves, used = found.leaves, list(found.nodes.values())
    claimed = {branch for group in (*used, *found.slots) for branch in group.branches()}
    groups = [
        group
        for group in found.collections
        if group is not found.choice.jet and not claimed >= set(group.features.values())
    ]
    missing = [group.prefix for group in groups if _is_met(group)]
    groups = [group for group in groups if not _is_met(group)]
    tables = [f"{row} and {item}" for row, item in layout.index_tables(leaves).values()]
    sentinels = [f"{name} ({', '.join(f'{value:g}' for value in values)})" for name, values in found.sentinels.items()]
    rows: dict[str, tuple[list[str], int]] = {
        "other objects": ([group.prefix for group in groups if group.has_momentum], FEW),
        "incomplete": ([f"{group.prefix} (no {', '.join(group.lacking)})" for group in groups if group.lacking], FEW),
        "other MET": (missing, FEW),
        "numbered": (
            [f"{group.prefix or 'objects'} {_cut(group.slots, FEWER)}" for group in found.slots if group not in used],
            FEW,
        ),
        "index tables": (tables, FEW),
        "sentinels": (sentinels, FEW),
        "with nulls": ([f"{name} (cannot be read before they are numbers)" for name in found.nulls], FEW),
        "per entry": (_unclaimed(found, 0), FEW),
        "lists": (_unclaimed(found, 1), FEW),
        "nested": ([leaf.name for leaf in leaves.values() if leaf.kind == "number" and leaf.deep > 1], FEWER),
        "texts": ([leaf.name for leaf in leaves.values() if leaf.kind == "text"], FEWER),
    }
    for label, (names, most) in rows.items():
        if names:
            yield from _wrapped(label, [_cut([name.replace(" ", UNBROKEN) for name in names], most)])
    n_other = sum(leaf.kind == "other" for leaf in leaves.values())
    if n_other:
        count = _number(n_other, "branch", "branches")
        yield from _wrapped("other types", [f"{count}: no numbers, or objects whose parts stand here by name"])
    if found.shipped:
        yield from _wrapped("shipped specs", [f"{', '.join(found.shipped)} (this file has all that they need)"])


def _number(n: int, one: str, many: str) -> str:
    return f"{n:,} {one if n == 1 else many}"


def _is_met(group: BranchGroup) -> bool:
    return group.kind == "met" or "met" in group.prefix.lower()


def _unclaimed(found: Description, deep: int) -> list[str]:
    """Returns the branches with numbers, or lists of numbers, that are not listed yet."""
    leaves = found.leaves
    claimed = {
        branch
        for group in (*found.collections, *found.slots)
        for branch in (*group.branches(), *group.columns.values())
    }
    claimed |= {
        *layout.ids_of(leaves),
        *layout.weights_of(leaves),
        *layout.label_groups(leaves),
        *layout.one_hot_of(leaves).values(),
    }
    claimed |= {
        *layout.truth_of(leaves),
        layout.split_column(leaves) or "",
        *(group.counter or "" for group in found.collections),
    }
    return [
        name
        for name, leaf in leaves.items()
        if leaf.kind == "number"
        and leaf.deep == deep
        and name not in claimed
        and not (name[:1] in "nN" and name[1:] in leaves)
    ]


def _size(n_byte: int) -> str:
    return f"{n_byte / 1e6:,.1f} MB" if n_byte >= 1e6 else f"{n_byte / 1e3:,.1f} kB"


def _wrapped(label: str, paragraphs: list[str]) -> Iterator[str]:
    """Yields text after a label, in lines of at most `WIDTH` characters."""
    begin = f"  {label:<{LABEL}} "
    for text in paragraphs:
        lines = textwrap.wrap(
            text,
            WIDTH,
            initial_indent=begin,
            subsequent_indent=" " * len(begin),
            break_long_words=False,
            break_on_hyphens=False,
        )
        yield from (line.replace(UNBROKEN, " ") for line in lines or [begin.rstrip()])


def _cut(names: Iterable[str], most: int) -> str:
    """Returns the first names and the number of the others."""
    known = list(names)
    more = f" and {len(known) - most:,} more" if len(known) > most else ""
    return ", ".join(known[:most]) + more
