"""Drafts a data spec for a file, as YAML with comments that give the reasons."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from root_gnn.config.yaml import dump_flow
from root_gnn.data.inspection.choice import Choice
from root_gnn.data.inspection.layout import (
    BranchGroup,
    LeafBranch,
    ids_of,
    label_groups,
    one_hot_of,
    split_column,
    truth_of,
    variations_of,
    varied,
    weights_of,
)
from root_gnn.data.inspection.naming import TANH
from root_gnn.data.inspection.survey import Survey, Unit
from root_gnn.data.spec.value import SLOT, SYSTEMATIC
from root_gnn.graph.features import EVENT_NODE_FEATURES

WIDTH = 140
MOST_GLOBALS = 12
ORDER = (
    "name",
    "source",
    "nodes",
    "node_features",
    "transforms",
    "globals",
    "id",
    "resimulation",
    "weight",
    "truth",
    "label",
    "split",
    "systematics",
    "on_nan",
    "on_duplicate",
)
ENERGIES = ("pt", "energy", "mass", "e", "m", "sdmass", "msoftdrop", "softdrop_mass")
NOT_GIVEN = ("truth", "label", "flav", "signal", "match", "event", "hadron", "tagger", "idx", "index", "weight")
"""Parts of names of columns of a jet that training must not use, or that carry no information for it."""
NAMES_OF_CLASSES = {
    "HadronConeExclTruthLabelID": {0: "light", 4: "charm", 5: "bottom", 15: "tau"},
}


@dataclass
class Draft:
    """A spec with comments: above all keys (`head`), and at the end of the line of a key (`beside`)."""

    content: dict[str, Any]
    head: list[str] = field(default_factory=list)
    beside: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        head = [
            line
            for text in self.head
            for line in textwrap.wrap(text, WIDTH - 20, break_long_words=False, break_on_hyphens=False)
        ]
        return "\n".join([*(f"# {line}" for line in head), *self._lines()]) + "\n"

    def _lines(self) -> Iterator[str]:
        for key, value in self.content.items():
            said = f"  # {self.beside[key]}" if key in self.beside else ""
            if key != "nodes" and len(short := f"{key}: {dump_flow(value)}") + len(said) <= WIDTH:
                yield short + said
                continue
            yield f"{key}:{said}"
            yield from _below(value, "  ", self.beside, key)


def _below(value: Any, indent: str, beside: dict[str, str], path: str) -> Iterator[str]:
    """Yields the lines of a mapping or list, one item per line."""
    if isinstance(value, list):
        lines = textwrap.wrap(dump_flow(value), WIDTH - 20, break_long_words=False, break_on_hyphens=False)
        yield from (f"{indent}{line}" for line in lines)
        return
    for key, part in value.items():
        name = f"{path}.{key}"
        said = f"  # {beside[name]}" if name in beside else ""
        line = f"{indent}{dump_flow(key)}: {dump_flow(part)}{said}"
        if len(line) <= WIDTH or not isinstance(part, dict | list):
            yield line
        else:
            yield f"{indent}{dump_flow(key)}:{said}"
            yield from _below(part, f"{indent}  ", beside, name)


class Drafter:
    """Drafts the spec of one file."""

    def __init__(
        self,
        name: str,
        source: dict[str, Any],
        *,
        leaves: dict[str, LeafBranch],
        choice: Choice,
        units: dict[str, Unit],
        survey: Survey,
    ) -> None:
        """Starts a draft.

        Args:
            name: name of the spec.
            source: section `source` of the spec.
            leaves: the branches by name.
            choice: the groups that become nodes.
            units: guessed unit of the momenta of each collection.
            survey: the first entries of the file.
        """
        self.leaves, self.choice, self.units, self.survey = leaves, choice, units, survey
        self.draft = Draft({"name": name, "source": source})
        self.broken = 0
        self.masked = False

    def make(self) -> Draft:
        """Returns the draft, its keys in the order of the documentation."""
        content = self.draft.content
        content["nodes"] = {name: self._node(name, found) for name, found in self.choice.nodes.items()}
        features = self._node_features()
        if features != list(EVENT_NODE_FEATURES):
            content["node_features"] = features
        transforms = {name: "tanh" for name in TANH if name in features}
        if transforms:
            content["transforms"] = transforms
            self.draft.beside["transforms"] = "lengths with long tails"
        self._globals()
        self._ids()
        self._weight()
        self._label()
        self._policies()
        self._systematics()
        self.draft.content = {key: content[key] for key in ORDER if key in content}
        return self.draft

    def _node(self, name: str, found: BranchGroup) -> dict[str, Any]:
        unit, node = self.units[name], dict[str, Any](type=self.choice.type_of(name))
        if name == "met" or (not found.deep and not found.slots):
            node["single"] = True
        if unit.name != "GeV":
            node["unit"] = unit.name
        node["features"] = self._features(name, found)
        if found.slots:
            node["slots"] = (
                len(found.slots) if found.slots == tuple(map(str, range(len(found.slots)))) else list(found.slots)
            )
        mask = self._mask(found)
        if mask:
            node["mask"], self.masked = mask, True
        self.draft.beside[f"nodes.{name}"] = self._about(name, unit)
        return node

    def _about(self, name: str, unit: Unit) -> str:
        guess = "the name and type are a guess; " if name in self.choice.guessed else ""
        return f"{guess}{unit.name}: {unit.reason}"

    def _features(self, name: str, found: BranchGroup) -> dict[str, Any]:
        if not found.has_momentum:
            return self._relative(found)
        features = dict(found.features)
        dropped = (
            {"px", "py", "pz"}
            if {"pt", "phi"} <= set(features) and (name == "met" or "eta" in features)
            else {"pt", "eta", "phi"}
        )
        if "energy" in features:
            dropped.add("mass")
        if name == "met":
            dropped |= {"energy", "mass", "eta", "pz", "charge", "btag"}
        if self.choice.of_constituents:
            dropped.add("btag")
        values = {key: self._value(key, branch, found) for key, branch in features.items() if key not in dropped}
        if self.choice.of_constituents:
            values |= {key: self._value(key, branch, found) for key, branch in found.extras.items()}
        if name == "met" and found.deep:
            return {key: {"branch": branch, "item": 0} for key, branch in values.items()}
        return values

    def _relative(self, found: BranchGroup) -> dict[str, Any]:
        """Adds tracks that are relative to their jet: charge over momentum, and angles from the jet's axis."""
        jet = self.choice.jet.features["eta"] if self.choice.jet and "eta" in self.choice.jet.features else None
        eta = f"`{jet}` + `{found.columns['deta']}`" if jet else f"`{found.columns['deta']}`"
        ratio = f"`{found.columns['qOverP']}`"
        self.draft.head.append(
            "pt from qOverP; phi is relative to the jet's axis, since the file has no phi of the jet."
        )
        return {
            "pt": {"expression": f"1 / maximum(abs({ratio}), 1e-9) / cosh({eta})"},
            "eta": {"expression": eta},
            "phi": found.columns["dphi"],
            "charge": {"expression": f"where({ratio} > 0, 1, -1)"},
            **{key: self._value(key, branch, found) for key, branch in found.extras.items()},
        }

    def _value(self, feature: str, branch: str, found: BranchGroup) -> Any:
        """Returns a branch, with unit, threshold or sentinels if it needs them."""
        seen = branch.replace(SLOT, found.slots[0]) if found.slots else branch
        value: dict[str, Any] = {"branch": branch}
        self.broken += self.survey.infinite(seen)
        if feature == "phi" and self.survey.in_degrees(seen):
            value["unit"] = "deg"
        if feature == "btag" and (cut := self.survey.working_point(seen)) is not None:
            value["above"] = cut
            self.draft.head.append(
                f"{branch} is no 0 or 1: {cut:g} tags one object in ten; set your own working point."
            )
        elif feature not in found.features and (missing := self.survey.sentinels(seen)):
            value["missing"] = list(missing)
        return branch if len(value) == 1 else value

    def _mask(self, found: BranchGroup) -> Any:
        """Returns the mask of objects: a branch, a positive momentum where lists are padded, or a status of 1."""
        if found.mask:
            return found.mask
        if found.where:
            return {"expression": found.where}
        if found.size is None and not found.slots:
            return None
        size = next((found.features[key] for key in ("pt", "energy") if key in found.features), None)
        if size is None or not any(
            self.survey.padded(name) for name in (size.replace(SLOT, slot) for slot in found.slots or ("",))
        ):
            return None
        quoted = size if size.isidentifier() or found.slots else f"`{size}`"
        return {"expression": f"{quoted} > 0"}

    def _node_features(self) -> list[str]:
        if not self.choice.of_constituents:
            return list(EVENT_NODE_FEATURES)
        given = [
            key
            for key in self.draft.content["nodes"]["constituent"]["features"]
            if key not in ("px", "py", "pz", "mass")
        ]
        return list(dict.fromkeys(["pt", "eta", "phi", "energy", *given, "type"]))

    def _globals(self) -> None:
        """Adds features of the jet itself."""
        jet = self.choice.jet
        if jet is None:
            return
        unit = self.survey.unit(jet).name
        found: dict[str, Any] = {}
        for suffix, branch in jet.columns.items():
            if any(part in branch.lower().replace("nparticles", "") for part in NOT_GIVEN):
                continue
            value: dict[str, Any] = {"branch": branch}
            if unit != "GeV" and suffix.lower() in ENERGIES:
                value["unit"] = unit
            if missing := self.survey.sentinels(branch):
                value["missing"] = list(missing)
            self.broken += self.survey.infinite(branch)
            found[f"jet_{suffix}"] = branch if len(value) == 1 else value
        self.draft.content["globals"] = dict(list(found.items())[:MOST_GLOBALS])

    def _ids(self) -> None:
        ids = ids_of(self.leaves)
        lists = [name for name in ids if self.leaves[name].deep]
        if not ids or not all(self.survey.one_each(name) for name in lists):
            return
        self.draft.content["id"] = [{"branch": name, "item": 0} if name in lists else name for name in ids]
        if "resimulation" in self.leaves:
            self.draft.content["resimulation"] = {"branch": "resimulation", "optional": True}
            return
        repeated = self.survey.duplicates(list(ids))
        if repeated:
            self.draft.content["on_duplicate"] = "keep"
            self.draft.beside["on_duplicate"] = (
                f"{repeated:,} entries of this file have the ids of an earlier one; stop would refuse them"
            )

    def _weight(self) -> None:
        for name in weights_of(self.leaves):
            listed = bool(self.leaves[name].deep)
            if not listed or self.survey.filled(name):
                self.draft.content["weight"] = [{"branch": name, **({"item": 0} if listed else {}), "optional": True}]
                self.draft.beside["weight"] = (
                    "the first of a list is the nominal one" if listed else "optional: collision data have none"
                )
                return

    def _label(self) -> None:
        classes, truth = one_hot_of(self.leaves), truth_of(self.leaves)
        if classes and self.survey.exclusive(list(classes.values())):
            self.draft.content["label"] = {"one_hot": classes}
            truth = tuple(name for name in truth if name not in classes.values())
        for name in label_groups(self.leaves) if "label" not in self.draft.content else ():
            values = self.survey.values(name)
            if values and len(values) > 1:
                self.draft.content["label"] = {
                    "branch": name,
                    "classes": {_class(name, value, values): value for value in values},
                }
                self.draft.beside["label"] = "the values that this file holds; the names are yours"
                break
        if truth:
            self.draft.content["truth"] = {name: {"branch": name, "optional": True} for name in truth}
        split = split_column(self.leaves)
        if split and set(self.survey.values(split) or [-1]) <= {0, 1, 2}:
            self.draft.content["split"] = {"branch": split, "train": 0, "validation": 1, "test": 2}
            self.draft.beside["split"] = "taken with `split: {by: branch}` in the recipe"

    def _policies(self) -> None:
        if self.broken:
            self.draft.content["on_nan"] = "fill" if self.masked else "drop"
            self.draft.beside["on_nan"] = f"{self.broken:,} numbers are NaN or infinite in the first entries"

    def _systematics(self) -> None:
        _, names = variations_of(self.leaves)
        if len(names) < 2:
            return
        self.draft.content["nodes"] = _replaced(self.draft.content["nodes"])
        if SYSTEMATIC in str(self.draft.content["nodes"]):
            self.draft.content["systematics"] = list(names)
            self.draft.beside["systematics"] = "the nominal one first"


def _class(branch: str, value: int, values: list[int]) -> str:
    """Returns a name for a class: background and signal of two, else a known name or the number."""
    known = next((names for part, names in NAMES_OF_CLASSES.items() if part in branch), {})
    if value in known:
        return known[value]
    if values == [0, 1]:
        return ("background", "signal")[value]
    return f"class_{value}".replace("-", "minus_")


def _replaced(part: Any) -> Any:
    if isinstance(part, dict):
        return {key: _replaced(value) for key, value in part.items()}
    return varied(part) if isinstance(part, str) else part


def reason(collections: list[BranchGroup], lists: list[str]) -> str:
    """Returns why no spec can be drafted: what the groups with a momentum lack."""
    lacking = [
        f"{found.prefix} has {', '.join(found.features)} but no {' and no '.join(found.lacking)}"
        for found in collections
        if found.lacking
    ]
    if lacking:
        more = f", and {len(lacking) - 6} more groups" if len(lacking) > 6 else ""
        return f"a node needs pt eta phi or px py pz; {', '.join(lacking[:6])}{more}"
    if lists:
        return f"{', '.join(lists[:3])} holds several numbers of each object, and the file does not say which is which"
    return "it has no list of objects with pt eta phi or px py pz under a usual name"
