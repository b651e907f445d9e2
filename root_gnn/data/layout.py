"""Guesses what the branches of somebody's file are, from their names and types alone."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

FEATURES: Mapping[str, tuple[str, ...]] = {
    "pt": ("pt", "met"), "eta": ("eta",), "phi": ("phi",), "energy": ("e", "energy", "en"), "mass": ("m", "mass"),
    "px": ("px", "momentum.x"), "py": ("py", "momentum.y"), "pz": ("pz", "momentum.z"), "charge": ("charge", "q"),
    "btag": ("btag", "btagcsvv2", "btagdeepflavb", "isbtag", "bjet"),
}
"""Spellings of each feature, lower case, the preferred one first."""
KINDS: Mapping[str, tuple[str, ...]] = {
    "jet": ("jet", "jets"), "electron": ("electron", "electrons", "ele", "el"), "muon": ("muon", "muons", "mu"),
    "photon": ("photon", "photons", "ph", "gamma"), "met": ("met", "pfmet", "puppimet", "missinget"),
}
"""Spellings of the collections that become nodes, lower case, the preferred one first; their order is the node type."""
IDS = (
    ("run", "luminosityBlock", "event"), ("runNumber", "lumiBlock", "eventNumber"), ("process", "eventNumber"),
    ("runNumber", "eventNumber"), ("Run", "Event"), ("run_number", "event_number"), ("eventNumber",), ("event",), ("Event.Number",),
)
WEIGHTS = ("genWeight", "weight", "EventWeight", "mc_sf", "mcWeight", "eventWeight", "Event.Weight")
SCALARS = frozenset(name for names in (*IDS, WEIGHTS) for name in names)
TRUTH_PREFIXES = ("n_", "label_")
ADDITIONS = re.compile(r"^analysis|auxdyn$|_nosys$", re.IGNORECASE)  # parts of ATLAS names that say nothing about the object
LIST = re.compile(r"\[\]|vector<|RVec<")
NUMBER = re.compile(r"\b(float|double|bool|u?int(8|16|32|64)_t|char|short|int|long)\b")


@dataclass
class Found:
    """A group of branches with one prefix.

    `features` maps a feature to its branch; `jagged` says whether there is a list per entry; `kind` is the collection of
    the standard ntuple it looks like, or None; `counter` the branch that counts its objects, where there is one.
    """

    prefix: str
    jagged: bool
    kind: str | None
    features: dict[str, str] = field(default_factory=dict)
    counter: str | None = None

    @property
    def has_momentum(self) -> bool:
        """Whether pt eta phi or px py pz are all there (pt phi or px py for missing momentum)."""
        along = set() if self.kind == "met" else {"eta"}
        beam = set() if self.kind == "met" else {"pz"}
        return {"pt", "phi", *along} <= set(self.features) or {"px", "py", *beam} <= set(self.features)


def split_name(name: str) -> tuple[str, str]:
    """Prefix and feature of a branch name: `Jet_pt`, `Jet/Jet.PT`, `AnalysisJetsAuxDyn.pt`, `Jets/Jets.momentum.x`."""
    leaf = name.rpartition("/")[2]
    if leaf.lower().endswith((".momentum.x", ".momentum.y", ".momentum.z")):
        return leaf[: -len(".momentum.x")], leaf[-len("momentum.x"):]
    place = max(leaf.rfind(sign) for sign in "_.:")
    return (leaf[:place], leaf[place + 1:]) if place > 0 else ("", leaf)


def matters(name: str) -> bool:
    """Whether a branch can be part of a collection, an id, a weight or truth: the type of others need not be known."""
    return feature_of(split_name(name)[1]) is not None or name in SCALARS or name.startswith(TRUTH_PREFIXES) or name.endswith("_exists")


def kind_of(prefix: str) -> str | None:
    """The collection of the standard ntuple that a prefix spells, or None."""
    word = ADDITIONS.sub("", ADDITIONS.sub("", prefix)).lower()
    return next((kind for kind, spellings in KINDS.items() if word in spellings), None)


def depth(type_name: str) -> int:
    """How many lists deep a branch is; -1 where it holds no numbers."""
    return len(LIST.findall(type_name)) if NUMBER.search(type_name) and "string" not in type_name else -1


def collections(types: Mapping[str, str]) -> list[Found]:
    """Groups of branches that have at least a pt or px, by prefix, in the order of the file; `types` gives each branch's C++ type."""
    groups: dict[tuple[str, bool], Found] = {}
    for name, kind in types.items():
        deep = depth(kind)
        prefix, suffix = split_name(name)
        feature = feature_of(suffix)
        is_counter = name[:1] in ("n", "N") and name[1:] in types
        if deep not in (0, 1) or not prefix or feature is None or is_counter:
            continue
        found = groups.setdefault((prefix, deep == 1), Found(prefix, deep == 1, kind_of(prefix)))
        held = found.features.get(feature)
        if held is None or _rank(feature, suffix) < _rank(feature, split_name(held)[1]):
            found.features[feature] = name
    for found in groups.values():
        found.features = {name: found.features[name] for name in FEATURES if name in found.features}
        found.counter = next((name for name in (f"n{found.prefix}", f"N{found.prefix}", f"{found.prefix}_size") if name in types), None)
    return [found for found in groups.values() if {"pt", "px"} & set(found.features)]


def feature_of(suffix: str) -> str | None:
    """The feature that the last part of a branch name spells."""
    return next((name for name, spellings in FEATURES.items() if suffix.lower() in spellings), None)


def _rank(feature: str, suffix: str) -> int:
    return FEATURES[feature].index(suffix.lower())


def nodes_of(found: Iterable[Found]) -> dict[str, Found]:
    """The groups that become nodes, by collection: one each, the preferred spelling first, missing momentum once per event."""
    best: dict[str, Found] = {}
    for group in found:
        if group.kind is None or not group.has_momentum or group.jagged == (group.kind == "met"):
            continue
        held = best.get(group.kind)
        if held is None or _spelling(group) < _spelling(held):
            best[group.kind] = group
    return {kind: best[kind] for kind in KINDS if kind in best}


def _spelling(group: Found) -> int:
    word = ADDITIONS.sub("", ADDITIONS.sub("", group.prefix)).lower()
    return KINDS[group.kind].index(word) if group.kind else len(KINDS)


def ids_of(types: Mapping[str, str]) -> tuple[str, ...]:
    """Branches that together look like an event id, or none."""
    scalar = {name for name, kind in types.items() if depth(kind) == 0}
    return next((names for names in IDS if scalar.issuperset(names)), ())


def weights_of(types: Mapping[str, str]) -> tuple[str, ...]:
    """The branch that looks like the event weight, or none."""
    return next(((name,) for name in WEIGHTS if name in types and depth(types[name]) == 0), ())


def truth_of(types: Mapping[str, str]) -> tuple[str, ...]:
    """Branches that look like truth: `X_exists` with the momentum of X, counts `n_X`, `label_*`."""
    objects = [name.removesuffix("_exists") for name in types if name.endswith("_exists")]
    columns = [f"{name}_{part}" for name in objects for part in ("exists", "pt", "eta", "phi", "m")]
    columns += [name for name in types if name.startswith(TRUTH_PREFIXES) and depth(types[name]) == 0]
    return tuple(name for name in columns if name in types)
