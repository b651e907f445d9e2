"""Guesses the meaning of the branches of a file from their names and types."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from root_gnn.data.inspection.naming import (
    BEHIND,
    EXTRAS,
    FEATURES,
    IDS,
    LABELS,
    MASKS,
    PARTICLE,
    RELATIVE,
    SPLITS,
    TRUTH,
    WEIGHTS,
    extra_of,
    feature_of,
    kind_of,
    missing_momentum,
    rank_of,
    split_name,
)
from root_gnn.data.spec.value import SLOT, SYSTEMATIC

NUMBER = re.compile(r"(bool|u?int\d+|float\d+)")
NOMINAL = "NOSYS"
SLOTTED = re.compile(r"[^\d]*\d.*")
COLUMN = re.compile(r"(.+)\.\d+")
IMPORTED = re.compile(r"_collection\d+.*")  # what ROOT's importer makes beside the fields that are meant to be read


@dataclass(frozen=True)
class LeafBranch:
    """A branch: its depth of lists, their length if all are equal (padding), and its kind: number, text or other."""

    name: str
    deep: int
    size: int | None
    kind: str


@dataclass
class BranchGroup:
    """A group of branches with one prefix.

    Attributes:
        prefix: what their names have in common; for slots what those have.
        deep: how many lists deep, 0 where there is one number per entry.
        kind: the collection of the standard ntuple it looks like, `met`, `particle`, or None.
        extra_words: words of the prefix that tell it from the plainest of its kind.
        features: the branch of each feature, `%SLOT%` in it where the objects are numbered.
        extras: further features of constituents, by what they are called.
        columns: every branch of the group by its suffix.
        size: the length of padded arrays.
        counter: the branch that counts the objects, where there is one.
        mask: the branch that says which of padded objects are there.
        where: an expression that holds for the objects meant.
        slots: what stands for `%SLOT%`.
    """

    prefix: str
    deep: int
    kind: str | None = None
    extra_words: int = 0
    features: dict[str, str] = field(default_factory=dict)
    extras: dict[str, str] = field(default_factory=dict)
    columns: dict[str, str] = field(default_factory=dict)
    size: int | None = None
    counter: str | None = None
    mask: str | None = None
    where: str | None = None
    slots: tuple[str, ...] = ()

    @property
    def has_momentum(self) -> bool:
        """Whether pt eta phi or px py pz are all there (pt phi or px py for missing momentum)."""
        along = set() if self.kind == "met" else {"eta"}
        beam = set() if self.kind == "met" else {"pz"}
        return {"pt", "phi", *along} <= set(self.features) or {"px", "py", *beam} <= set(self.features)

    @property
    def lacking(self) -> list[str]:
        """What of pt eta phi, or of px py pz where that is closer, the group lacks; nothing where it has a momentum."""
        forms = ("pt", "eta", "phi"), ("px", "py", "pz")
        lacking = [[name for name in wanted if name not in self.features] for wanted in forms]
        if self.has_momentum:
            return []
        return lacking[1] if "px" in self.features and len(lacking[1]) <= len(lacking[0]) else lacking[0]

    def branches(self) -> list[str]:
        """The branches of all features, every slot's own."""
        names = list(self.features.values())
        return [name.replace(SLOT, slot) for slot in self.slots for name in names] if self.slots else names


def leaf_of(name: str, type_name: str) -> LeafBranch:
    """A branch from its type in awkward's words."""
    *lists, last = type_name.split(" * ")
    kind = "number" if NUMBER.fullmatch(last) else "text" if last == "string" else "other"
    return LeafBranch(name, len(lists), int(lists[0]) if lists and lists[0].isdigit() else None, kind)


def plain_names(branches: Iterable[str]) -> list[str]:
    """The names a person would use: one for each branch, without single columns of arrays."""
    known = set(branches)
    names = []
    for name in branches:
        column = COLUMN.fullmatch(name)
        shorter = (name.rpartition("/")[2], name.replace(":", "."))
        if (
            (column and column[1] in known)
            or IMPORTED.fullmatch(name)
            or any(other != name and other in known for other in shorter)
        ):
            continue
        names.append(name)
    return names


def collections(leaves: Mapping[str, LeafBranch]) -> list[BranchGroup]:
    """Returns groups of branches with at least pt or px, by prefix, in the order of the file; missing momentum too."""
    groups: dict[tuple[str, int], BranchGroup] = {}
    for name, leaf in leaves.items():
        prefix, suffix = split_name(name)
        is_counter = name[:1] in ("n", "N") and name[1:] in leaves
        if leaf.kind != "number" or leaf.deep > 2 or is_counter or (not prefix and not leaf.deep):
            continue
        kind, extra_words = kind_of(prefix)
        key = (prefix, leaf.deep)
        found = groups.setdefault(
            key, BranchGroup(prefix, leaf.deep, kind or (None if prefix else PARTICLE), extra_words, size=leaf.size)
        )
        found.columns[suffix] = name
        feature, extra = feature_of(suffix), extra_of(suffix)
        held = found.features.get(feature or "")
        if feature and (held is None or rank_of(feature, suffix) < rank_of(feature, split_name(held)[1])):
            found.features[feature] = name
        if extra:
            found.extras.setdefault(extra, name)
        if suffix.lower() in MASKS and leaf.deep:
            found.mask = name
        if suffix == "status" and leaf.deep and found.kind == PARTICLE:
            found.where = f"`{name}` == 1"
    kept = [found for found in groups.values() if {"pt", "px"} & set(found.features) or _is_relative(found)]
    for found in kept:
        found.features = {name: found.features[name] for name in FEATURES if name in found.features}
        found.extras = {
            name: found.extras[name] for name in dict.fromkeys((*EXTRAS, *found.extras)) if name in found.extras
        }
        found.counter = _counter(found.prefix, leaves) if found.deep else None
    return [*(found for found in kept if _is_no_met(found)), *_missing_momenta(leaves)]


def _is_relative(found: BranchGroup) -> bool:
    """Whether these are tracks given relative to their jet, with charge over momentum."""
    return set(RELATIVE) <= set(found.columns)


def _is_no_met(found: BranchGroup) -> bool:
    return not any(missing_momentum(name) for name in found.features.values())


def _counter(prefix: str, leaves: Mapping[str, LeafBranch]) -> str | None:
    last = prefix.rpartition("/")[2]
    names = (
        f"n{prefix}",
        f"N{prefix}",
        f"{prefix}_size",
        f"{prefix}_n",
        f"n_{prefix}",
        f"{prefix}/n{last}",
        f"{prefix}.n",
    )
    return next((name for name in names if name in leaves and not leaves[name].deep), None)


def _missing_momenta(leaves: Mapping[str, LeafBranch]) -> list[BranchGroup]:
    """Missing transverse momentum, which many writers name without a prefix (`met`, `met_phi`, `METx`)."""
    groups: dict[tuple[str, int], BranchGroup] = {}
    for name, leaf in leaves.items():
        said = missing_momentum(name)
        if said is None or leaf.kind != "number" or leaf.deep > 1 or leaf.size:
            continue
        found = groups.setdefault(
            (said[0], leaf.deep), BranchGroup("", leaf.deep, "met", ("", "pf", "puppi").index(said[0]))
        )
        found.features.setdefault(said[1], name)
        found.columns[said[1]] = name
    for found in groups.values():
        found.features = {name: found.features[name] for name in FEATURES if name in found.features}
        first = next(iter(found.features.values()))
        found.prefix = split_name(first)[0] or first
    return [found for found in groups.values() if found.has_momentum]


def slotted(leaves: Mapping[str, LeafBranch]) -> list[BranchGroup]:
    """Returns numbered objects among the scalar branches (`h1_j1_pt`, `pt1`, `E_0`), those with most numbers first."""
    forms: dict[str, dict[str, str]] = {}
    for name, leaf in leaves.items():
        if leaf.deep == 0 and leaf.kind == "number":
            for slot, template in _readings(name):
                forms.setdefault(slot, {})[feature_of(template.replace(SLOT, "").strip("_./:")) or ""] = template
    groups: dict[tuple[str, tuple[str, ...]], BranchGroup] = {}
    for slot, features in forms.items():
        features.pop("", None)
        stem = re.sub(r"\d+", "", slot)
        known = {name: features[name] for name in FEATURES if name in features}
        kind, extra_words = kind_of(stem)
        found = groups.setdefault((stem, tuple(known.values())), BranchGroup(stem, 0, kind, extra_words, known))
        found.slots = (*found.slots, slot)
    complete = [found for found in groups.values() if found.has_momentum and len(found.slots) > 1]
    if not complete and not any(leaf.deep for leaf in leaves.values()):  # objects in lists have no need of names
        complete = _named(leaves)
    return sorted(complete, key=lambda found: -len(found.slots))


def _named(leaves: Mapping[str, LeafBranch]) -> list[BranchGroup]:
    """Objects with names of their own (`Kplus_PX`, `muplus_PX`), as the candidates of decay-tree tuples have."""
    forms: dict[str, dict[str, str]] = {}
    for name, leaf in leaves.items():
        front, _, last = name.rpartition("_")
        feature = feature_of(last)
        if leaf.deep == 0 and leaf.kind == "number" and front and feature and kind_of(front)[0] is None:
            forms.setdefault(front, {})[feature] = f"{SLOT}_{last}"
    groups: dict[tuple[str, ...], BranchGroup] = {}
    for slot, features in forms.items():
        known = {name: features[name] for name in FEATURES if name in features}
        found = groups.setdefault(tuple(known.values()), BranchGroup("", 0, PARTICLE, 0, known))
        found.slots = (*found.slots, slot)
    return [found for found in groups.values() if found.has_momentum and len(found.slots) > 1]


def _readings(name: str) -> Iterable[tuple[str, str]]:
    """How a name may be read as a slot and a template around it: the feature stands before the slot, or behind."""
    parts = re.fullmatch(r"([A-Za-z]+?)_?(\d.*)", name)
    first, _, rest = name.partition("_")
    front, _, last = name.rpartition("_")
    if rest and feature_of(first) and SLOTTED.fullmatch(rest):
        yield rest, f"{first}_{SLOT}"
    elif front and feature_of(last) and SLOTTED.fullmatch(front):
        yield front, f"{SLOT}_{last}"
    elif parts and feature_of(parts[1]) and parts[2].isdigit():
        yield parts[2], name[: -len(parts[2])] + SLOT


def ids_of(leaves: Mapping[str, LeafBranch]) -> tuple[str, ...]:
    """Branches that together look like an event id, or none."""
    leading = _by_last_part(leaves, {name for names in IDS for name in names})
    return next((tuple(leading[name] for name in names) for names in IDS if all(name in leading for name in names)), ())


def weights_of(leaves: Mapping[str, LeafBranch]) -> tuple[str, ...]:
    """Branches that look like event weights, the likeliest first."""
    leading = _by_last_part(leaves, set(WEIGHTS))
    return tuple(dict.fromkeys(leading[name] for name in WEIGHTS if name in leading))


def _by_last_part(leaves: Mapping[str, LeafBranch], wanted: set[str]) -> dict[str, str]:
    """Branches called so, or whose last part is, among numbers and lists per entry; a number wins over a list."""
    found: dict[str, str] = {}
    for name, leaf in leaves.items():
        if leaf.kind != "number" or leaf.deep > 1:
            continue
        prefix, suffix = split_name(name)
        name_itself = BEHIND.sub("", name)
        owner = prefix.lower().replace("auxdyn", "")
        short = (
            name_itself
            if name_itself in wanted
            else suffix
            if owner in ("", "eventinfo", "eventheader", "event")
            else ""
        )
        if short in wanted and (short not in found or leaves[found[short]].deep > leaf.deep):
            found[short] = name
    return found


def truth_of(leaves: Mapping[str, LeafBranch]) -> tuple[str, ...]:
    """Branches that look like truth: `X_exists` with the momentum of X, counts such as `n_top`."""
    objects = [name.removesuffix("_exists") for name in leaves if name.endswith("_exists")]
    columns = [f"{name}_{part}" for name in objects for part in ("exists", "pt", "eta", "phi", "m")]
    columns += [name for name, leaf in leaves.items() if TRUTH.fullmatch(name) and leaf.deep == 0]
    return tuple(name for name in columns if name in leaves)


def label_groups(leaves: Mapping[str, LeafBranch]) -> tuple[str, ...]:
    """Branches whose value may be the class, of the entry or of the jet that it is; the likeliest first."""
    scalars = [name for name, leaf in leaves.items() if leaf.deep == 0 and leaf.kind == "number"]
    known = {suffix: name for name in scalars for prefix, suffix in [split_name(name)] if kind_of(prefix)[0] == "jet"}
    known |= {name: name for name in scalars if not (name == "y" and "x" in leaves)}
    return tuple(known[name] for name in LABELS if name in known)


def one_hot_of(leaves: Mapping[str, LeafBranch]) -> dict[str, str]:
    """By class, branches `label_X`, where there are several."""
    found = {
        name.rpartition("label_")[2]: name
        for name in leaves
        if re.search(r"(^|[./_])label_", name) and leaves[name].deep == 0
    }
    return found if len(found) > 1 else {}


def split_column(leaves: Mapping[str, LeafBranch]) -> str | None:
    """The branch that may say what an entry is meant for: training, validation, test."""
    return next((name for name in SPLITS if name in leaves and leaves[name].deep == 0), None)


def index_tables(leaves: Mapping[str, LeafBranch]) -> dict[str, tuple[str, str]]:
    """By prefix, the two branches of an index table: which jet, which candidate."""
    found: dict[str, dict[str, str]] = {}
    for name, leaf in leaves.items():
        prefix, suffix = split_name(name)
        if leaf.deep == 1 and suffix.lower().endswith("idx") and ("Cand" in prefix or "Constituent" in prefix):
            found.setdefault(prefix, {})["row" if "jet" in suffix.lower() else "item"] = name
    return {prefix: (pair["row"], pair["item"]) for prefix, pair in found.items() if len(pair) == 2}


def variations_of(names: Iterable[str]) -> tuple[int, tuple[str, ...]]:
    """How many branches carry the nominal variation in their names, and the variations, the nominal one first."""
    known = list(names)
    nominal = [name for name in known if NOMINAL in name]
    found: dict[str, None] = {NOMINAL: None} if nominal else {}
    for template in nominal[:200]:
        before, _, after = template.partition(NOMINAL)
        for name in known:
            middle = (
                name[len(before) : len(name) - len(after)] if name.startswith(before) and name.endswith(after) else ""
            )
            if re.search(r"(?i)_?(up|down|1up|1down)$", middle):
                found[middle] = None
    return len(nominal), tuple(found)


def varied(name: str) -> str:
    """A branch name with the placeholder of variations in place of the nominal one."""
    return name.replace(NOMINAL, SYSTEMATIC)
