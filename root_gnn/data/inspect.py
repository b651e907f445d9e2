"""What is in somebody's file, and a data spec to start from."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np

from root_gnn.config.yaml import dump_yaml
from root_gnn.data import layout
from root_gnn.data.layout import Found
from root_gnn.data.rootfile import branch_names, first_line, get_tree, open_root, tree_names, type_name
from root_gnn.errors import InputError

SAMPLE = 1_000  # entries that units are guessed from
MEV_MEDIAN = 2_000.0  # a median pt above this is no collider object in GeV
PHI_RADIANS = 6.3
FAVOURITES = ("Events", "events", "CollectionTree", "Delphes", "tree")
FEW = 12


@dataclass(frozen=True)
class Unit:
    """A guessed unit and why."""

    name: str
    reason: str


@dataclass
class Description:
    """What `inspect` found; `str()` is for people, `draft_spec()` for `root-gnn prepare`.

    Attributes:
        path: the file.
        trees: name and entries of each TTree or RNTuple.
        tree: the one described below.
        collections: groups of branches with momenta, in the order of the file.
        nodes: those that become nodes, by the collection of the standard ntuple they look like.
        units: of each node collection's momenta.
        ids, weights, truth: branches that look like these.
        tagged: b-tag branches that are not 0 or 1, with the value that tags one object in ten of the sample.
    """

    path: Path
    trees: dict[str, int]
    tree: str
    n_branch: int = 0
    collections: list[Found] = field(default_factory=list)
    nodes: dict[str, Found] = field(default_factory=dict)
    units: dict[str, Unit] = field(default_factory=dict)
    ids: tuple[str, ...] = ()
    weights: tuple[str, ...] = ()
    truth: tuple[str, ...] = ()
    resimulation: bool = False
    tagged: dict[str, float] = field(default_factory=dict)

    def __str__(self) -> str:
        lines = [f"{self.path}: ROOT file"]
        lines += [f"  tree {name}: {n:,} entries" + (" (described below)" if name == self.tree else "") for name, n in self.trees.items()]
        lines.append(f"{self.tree}: {self.n_branch:,} branches")
        for kind, found in self.nodes.items():
            unit = self.units[kind]
            lines.append(f"  {kind}: {_words(found)}; {unit.name} ({unit.reason})")
        others = [found.prefix for found in self.collections if found not in self.nodes.values() and found.has_momentum]
        if others:
            more = f" and {len(others) - FEW} more" if len(others) > FEW else ""
            lines.append(f"  other groups with momenta: {', '.join(others[:FEW])}{more}")
        lines.append(f"  id: {', '.join(self.ids) or 'none found (events will be told apart by file and entry)'}")
        lines.append(f"  weight: {', '.join(self.weights) or 'none found (1 each)'}")
        lines.append(f"  truth: {', '.join(self.truth[:FEW]) or 'none found'}{' ...' if len(self.truth) > FEW else ''}")
        if not self.nodes:
            lines.append("  No list of jets, electrons, muons or photons with pt eta phi or px py pz was recognised; write a spec by hand.")
        return "\n".join(lines)

    def draft_spec(self) -> str:
        """YAML of a data spec for files like this one, to be checked by eye.

        Raises InputError where no collection was recognised.
        """
        if not any(found.jagged for found in self.nodes.values()):
            momenta = ", ".join(found.prefix for found in self.collections[:FEW]) or "none"
            raise InputError(
                f"{self.path}: no spec can be drafted: the tree {self.tree} has no list of jets, electrons, muons or photons under a usual "
                f"name with pt eta phi or px py pz (groups with a pt or px: {momenta}). Write one by hand, see docs/data.md."
            )
        spec: dict[str, Any] = {"name": self.path.stem, "source": {"name": "root", "tree": self.tree}}
        spec["nodes"] = {kind: self._node(kind, found) for kind, found in self.nodes.items()}
        if self.ids:
            spec["id"] = list(self.ids)
        if self.resimulation:
            spec["resimulation"] = {"branch": "resimulation", "optional": True}
        if self.weights:
            spec["weight"] = [{"branch": name, "optional": True} for name in self.weights]
        if self.truth:
            spec["truth"] = {name: {"branch": name, "optional": True} for name in self.truth}
        header = [f"# Drafted from {self.path.name}; check it by eye, above all units, b tags and the weight."]
        header += [f"# {kind}: {unit.name}, since {unit.reason}" for kind, unit in self.units.items()]
        header += [f"# {name} is no 0 or 1: {value:g} tags one object in ten; set your own cut" for name, value in self.tagged.items()]
        return "\n".join(header) + "\n" + dump_yaml(spec)

    def _node(self, kind: str, found: Found) -> dict[str, Any]:
        features = {name: self._value(branch) for name, branch in _usable(found).items()}
        node: dict[str, Any] = {"type": list(layout.KINDS).index(kind)}
        if not found.jagged:
            node["single"] = True
        if self.units[kind].name == "MeV":
            node["unit"] = "MeV"
        return {**node, "features": features}

    def _value(self, branch: str) -> Any:
        return {"branch": branch, "above": self.tagged[branch]} if branch in self.tagged else branch


def inspect(path: Path, tree: str | None = None) -> Description:
    """Describes a ROOT file: trees, collections, guessed units, ids, weights, truth.

    `tree` is the one to describe; without it a usual name, or the one with most entries and branches. Raises InputError
    in one paragraph where the file is no ROOT file, is damaged, or has no tree.
    """
    with open_root(path) as file:
        trees = {name: _entries(file, name) for name in tree_names(file)}
        if not trees:
            raise InputError(f"{path}: this ROOT file has no TTree or RNTuple, so no events to read.")
        chosen = tree or _main_tree(file, trees)
        content = get_tree(path, file, chosen)
        types = {name: type_name(content, name) if layout.matters(name) else "" for name in branch_names(content)}
        description = Description(path, trees, chosen, n_branch=len(types), collections=layout.collections(types))
        description.nodes = layout.nodes_of(description.collections)
        description.ids, description.weights = layout.ids_of(types), layout.weights_of(types)
        description.truth, description.resimulation = layout.truth_of(types), "resimulation" in types
        for kind, found in description.nodes.items():
            _measure(description, content, kind, found)
    return description


def _measure(description: Description, tree: Any, kind: str, found: Found) -> None:
    try:
        description.units[kind] = _unit(tree, found)
        description.tagged.update(_working_points(tree, found))
    except Exception as error:  # uproot raises many kinds for damaged baskets
        raise InputError(f"{description.path}: the branches of {found.prefix} cannot be read. ({first_line(error)})") from error


def _entries(file: Any, name: str) -> int:
    try:
        return int(file[name].num_entries)
    except Exception:  # a tree that uproot cannot read is listed with no entries
        return 0


def _main_tree(file: Any, trees: dict[str, int]) -> str:
    for name in FAVOURITES:
        if trees.get(name):
            return name
    return max(trees, key=lambda name: trees[name] * len(branch_names(file[name])) if trees[name] else 0)


def _usable(found: Found) -> dict[str, str]:
    """The features of a group that a spec may name: one form of the momentum, one of energy and mass."""
    features = dict(found.features)
    dropped = {"px", "py", "pz"} if {"pt", "phi"} <= set(features) else {"pt", "eta", "phi"}
    if "energy" in features or not found.jagged:
        dropped.add("mass")
    if not found.jagged:
        dropped |= {"energy", "eta", "pz", "charge", "btag"}
    return {name: branch for name, branch in features.items() if name not in dropped}


def _numbers(tree: Any, branch: str) -> Any:
    array = tree[branch].array(entry_stop=SAMPLE, library="ak")
    return np.asarray(ak.to_numpy(ak.flatten(array, axis=None)), dtype=np.float64)


def _unit(tree: Any, found: Found) -> Unit:
    momentum = found.features.get("pt") or found.features["px"]
    size = np.abs(_numbers(tree, momentum))
    if not len(size):
        return Unit("GeV", f"{momentum} is empty in the first {SAMPLE:,} entries")
    median = float(np.median(size))
    if "AuxDyn" in momentum or "NOSYS" in momentum:
        return Unit("MeV", f"ATLAS names ({momentum}), median {median:,.4g}")
    if median > MEV_MEDIAN:
        return Unit("MeV", f"the median of {momentum} is {median:,.4g}")
    return Unit("GeV", f"the median of {momentum} is {median:,.4g}")


def _working_points(tree: Any, found: Found) -> dict[str, float]:
    """The 90 % quantile of a b-tag branch that is a discriminator, by branch."""
    branch = found.features.get("btag")
    values = _numbers(tree, branch) if branch else np.zeros(0)
    if branch is None or not len(values) or np.isin(values, (0, 1)).all():
        return {}
    return {branch: float(f"{np.quantile(values, 0.9):.4g}")}


def _words(found: Found) -> str:
    parts = ", ".join(f"{name} {branch}" for name, branch in found.features.items())
    counter = f", counted by {found.counter}" if found.counter else ""
    return f"{parts} ({'a list per entry' if found.jagged else 'one per entry'}{counter})"
