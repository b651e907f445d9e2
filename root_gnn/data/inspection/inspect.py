"""`root-gnn inspect`: describes a data file and drafts a data spec for it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from root_gnn.config.plugins import plugin_name
from root_gnn.config.shipped import find, shipped_names
from root_gnn.data.formats.location import locate
from root_gnn.data.formats.sniff import format_of, offers, without_ending
from root_gnn.data.inspection import layout
from root_gnn.data.inspection.choice import Choice, choose_collections
from root_gnn.data.inspection.description import Description
from root_gnn.data.inspection.draft import Draft, Drafter, reason
from root_gnn.data.inspection.layout import LeafBranch
from root_gnn.data.inspection.survey import Survey
from root_gnn.data.reading.selection import select_branches
from root_gnn.data.spec.spec import load_spec
from root_gnn.errors import InputError, NullValueError
from root_gnn.protocols import Source, SourceConfig

FAMILY = "data.sources"
HOUSEKEEPING = re.compile(r"##|MetaData|POOL")
"""Trees of frameworks without events; with 10,000 branches, counting their entries takes long."""


def inspect(path: Path | str, tree: str | None = None) -> Description:
    """Describes a data file of any format: trees, collections, guessed units, ids, weights, truth.

    `tree` is the tree, table or group to describe; by default the most likely one. Raises InputError if the format is
    unknown, or the file is damaged or contains nothing to read.
    """
    path = locate(path)
    configs = offers(path)
    if not configs:
        raise InputError(f"{path}: this {format_of(path)} file has no tree or table, so no events to read.")
    by_name = {_label(config): config for config in configs}
    if tree is not None and tree not in by_name:
        raise InputError(
            f"{path}: there is no tree {tree} in this file; "
            f"it holds: {', '.join(filter(None, by_name)) or 'one table'}."
        )
    chosen = tree if tree is not None else next(iter(by_name))
    trees = {name: _entries(config, name, path) if name != chosen else 0 for name, config in by_name.items()}
    with by_name[chosen].open(path) as source:
        return _describe(path, by_name[chosen], source, trees | {chosen: source.n_entry}, chosen)


def _describe(path: Path, config: SourceConfig, source: Source, trees: dict[str, int | None], tree: str) -> Description:
    """Describes a file without the branches that turn out to have nulls.

    Args:
        path: the file.
        config: the source that reads it.
        source: the opened tree or table.
        trees: number of entries of each tree; None if it was not counted.
        tree: the tree to describe.
    """
    leaves = {name: layout.leaf_of(name, source.type_of(name)) for name in layout.plain_names(source.branches)}
    nulls: list[str] = []
    while True:
        try:
            description = _without(nulls, leaves, path, config=config, source=source, trees=trees, tree=tree)
        except NullValueError as error:
            if error.branch not in leaves or error.branch in nulls:
                raise
            nulls.append(error.branch)
        else:
            return description


def _without(
    nulls: list[str],
    every: dict[str, LeafBranch],
    path: Path,
    *,
    config: SourceConfig,
    source: Source,
    trees: dict[str, int | None],
    tree: str,
) -> Description:
    """Describes a file without the branches `nulls`.

    Args:
        nulls: branches that are left out because they have nulls.
        every: all branches.
        path: the file.
        config: the source that reads it.
        source: the opened tree or table.
        trees: number of entries of each tree; None if it was not counted.
        tree: the tree to describe.
    """
    leaves = {name: leaf for name, leaf in every.items() if name not in nulls}
    collections, slots, survey = layout.collections(leaves), layout.slotted(leaves), Survey(source)
    choice = choose_collections(collections, slots, survey)
    units = {name: survey.unit(group) for name, group in choice.nodes.items()}
    draft: Draft | str = reason(collections, [leaf.name for leaf in leaves.values() if leaf.deep > 1 and leaf.size])
    if choice.nodes:
        draft = Drafter(
            without_ending(path.name), _as_yaml(config), leaves=leaves, choice=choice, units=units, survey=survey
        ).make()
        draft.head[:0] = [
            f"Drafted from {path.name}; check it by eye, above all units, b tags and the weight.",
            *_hints(leaves, trees),
        ]
        draft.head += [f"Left out because it has nulls: {name}." for name in nulls]
    return Description(
        path,
        format_of(path),
        trees,
        tree,
        every,
        collections,
        slots,
        choice=choice,
        units=units,
        draft=draft,
        sentinels=_sentinels(choice, survey),
        shipped=_fitting(config, source, path),
        nulls=nulls,
    )


def _hints(leaves: dict[str, LeafBranch], trees: dict[str, int | None]) -> list[str]:
    """Returns hints on further keys that a spec for such a file may have."""
    hints = [
        f"{row} and {item} are an index table: "
        "with `graph_per` and `members` each jet becomes a graph, see docs/data.md."
        for row, item in layout.index_tables(leaves).values()
    ]
    counted = [name for name, n_entry in trees.items() if n_entry]
    if len(counted) > 1 and "metadata" not in counted:
        hints.append(
            "The file has several trees: "
            "list them in source.tree and name them in label.trees where they are the classes."
        )
    n_nominal, names = layout.variations_of(leaves)
    if n_nominal and len(names) == 1:
        hints.append(
            "NOSYS is the nominal variation; "
            "with %SYS% in its place, and `systematics`, others are read where files have them."
        )
    return hints


def _sentinels(choice: Choice, survey: Survey) -> dict[str, tuple[float, ...]]:
    """Returns numbers such as -999 in the first entries of branches that may become node features."""
    sentinels: dict[str, tuple[float, ...]] = {}
    for group in choice.nodes.values():
        tags = [name for suffix, name in group.columns.items() if suffix.lower().startswith("btag")]
        for name in dict.fromkeys([*(group.branches() if not group.slots else []), *group.extras.values(), *tags]):
            if values := survey.sentinels(name):
                sentinels[name] = values
    return sentinels


def _as_yaml(config: SourceConfig) -> dict[str, Any]:
    return {"name": plugin_name(config, FAMILY), **config.model_dump(mode="json", exclude_defaults=True)}


def _label(config: SourceConfig) -> str:
    """Returns the tree, table or group that a source reads."""
    return next((str(value) for value in config.model_dump(mode="json", exclude_defaults=True).values()), "")


def _entries(config: SourceConfig, name: str, path: Path) -> int | None:
    if HOUSEKEEPING.match(name.rpartition("/")[2]):
        return None
    try:
        with config.open(path) as source:
            return source.n_entry
    except InputError:  # a tree that cannot be read is listed all the same
        return None


def _fitting(config: SourceConfig, source: Source, path: Path) -> list[str]:
    """Returns shipped specs whose required branches are all in the file, those that read most of it first."""
    wanted, fitting = _as_yaml(config), dict[str, int]()
    for name in shipped_names("spec"):
        text = find(name, "spec").read_text(encoding="utf-8")
        if f"name: {wanted['name']}" not in text and "extends:" not in text:
            continue
        try:
            spec = load_spec(name)
            own = _as_yaml(spec.source)
            if own["name"] == wanted["name"] and own.get("tree") == wanted.get("tree"):
                selection = select_branches(spec.variation() if spec.systematics else spec, source.branches, path)
                if any(selection.nodes.values()):
                    fitting[name] = len(selection.branches)
        except InputError:  # it does not fit
            continue
    return sorted(fitting, key=lambda name: -fitting[name])
