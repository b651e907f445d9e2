"""Translates a data configuration of weaver-core (hqucms/weaver-core; arXiv:2202.03772) to a data spec."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from root_gnn.convert.converted import Notes
from root_gnn.convert.foreign import mapping, text_list
from root_gnn.convert.formula import Formulas, UntranslatableError, function_of
from root_gnn.convert.momenta import Momenta
from root_gnn.convert.naming import prefix_of
from root_gnn.convert.weaver_variables import Variable, WeaverParameters
from root_gnn.data.spec.collection import ANGLES, MOMENTUM
from root_gnn.errors import InputError

COLLECTIONS = {"pf": "constituent", "sv": "vertex", "el": "electron", "mu": "muon"}
MOMENTA = ("px", "py", "pz", "energy")  # of the inputs called *_vectors, in this order
KINDS = ("points", "features", "vectors", "mask")
TRANSFORMS = ("log", "tanh")
UNKNOWN = object()
READ = (
    "treename",
    "selection",
    "new_variables",
    "preprocess",
    "inputs",
    "labels",
    "observers",
    "monitor_variables",
    "weights",
)
ELSEWHERE = {
    "test_time_selection": "one spec selects alike everywhere; "
    "put it under `select` of a second spec, for `evaluate --spec`",
    "branch_magic": "write the names of the branches out",
    "file_magic": "write the names of the branches out",
}
UNNEEDED = {"bucketing": "batches are ragged, so jets of like lengths need not be sought"}


def is_weaver(content: Mapping[str, Any]) -> bool:
    """Whether a file's keys are those of a data configuration of weaver-core."""
    return "inputs" in content and "labels" in content


def to_spec(content: Mapping[str, Any], *, name: str, tree: str | None, notes: Notes) -> dict[str, Any]:
    """Returns the data spec `name`, as plain values; `tree` is read if the configuration names none.

    Raises InputError if nothing in `content` can become nodes.
    """
    weaver = _Weaver(content, notes)
    spec: dict[str, Any] = {"name": name, "source": {"name": "root", "tree": weaver.tree(tree)}}
    select = weaver.formula("selection", content.get("selection"))
    spec |= {"select": select} if select else {}
    spec |= weaver.inputs()
    weights = weaver.weights()
    spec |= {"weight": weights} if weights else {}
    label = weaver.label()
    spec |= {"label": label} if label else {}
    weaver.the_rest()
    return spec


class _Weaver:
    """One configuration; each method translates a section and notes what it could not translate."""

    def __init__(self, content: Mapping[str, Any], notes: Notes) -> None:
        self._content, self._notes = content, notes
        self._formulas = Formulas(mapping(content.get("new_variables")))
        self._parameters = WeaverParameters(mapping(content.get("preprocess")), notes)

    def tree(self, given: str | None) -> str:
        """Returns the tree to read."""
        named = self._content.get("treename")
        if not named and given is None:
            self._notes.different.append("treename is not given, and `tree` is read; name another with --tree")
        return str(named or given or "tree")

    def formula(self, key: str, text: Any) -> str | None:
        """Returns a formula as an expression of data specs; None without one, or with a note if untranslatable."""
        if text in (None, ""):
            return None
        try:
            return self._formulas.expression(str(text))
        except UntranslatableError as error:
            self._notes.lose(key, error)
            return None

    def value(self, key: str, text: str | ast.expr) -> dict[str, str] | str | None:
        """Returns a branch or an expression in the form of a spec; None as in `formula`."""
        try:
            node = self._formulas.tree(text) if isinstance(text, str) else self._formulas.resolved(text)
            branch = self._formulas.branch(node)
            return branch if branch is not None else {"expression": self._formulas.expression(node)}
        except UntranslatableError as error:
            self._notes.lose(key, error)
            return None

    def inputs(self) -> dict[str, Any]:
        """`nodes`, `node_features`, `transforms` and `globals` of the spec."""
        groups = mapping(self._content.get("inputs"))
        families: dict[str, dict[str, Any]] = {}
        for group, content in groups.items():
            family, _, kind = group.rpartition("_")
            if kind in KINDS and family and not _is_of_jet(content):
                families.setdefault(family, {})[kind] = mapping(content)
        nodes: dict[str, Any] = {}
        transforms: dict[str, str] = {}
        features, inputs = list[str](), list[str]()
        for family, parts in families.items():
            made = self._collection(family, parts)
            if made is None:
                continue
            nodes[COLLECTIONS.get(family, family)] = {"type": len(nodes), **made.node}
            for feature in made.node["features"]:
                if feature in features and made.transforms.get(feature) != transforms.get(feature):
                    self._notes.lose(
                        f"inputs.{family}_features.{feature}",
                        "it is transformed as the feature of that name of the others",
                    )
            transforms |= {feature: made.transforms[feature] for feature in made.transforms if feature not in features}
            features += [feature for feature in made.node["features"] if feature not in (*MOMENTA, *features)]
            inputs += made.inputs
        if not nodes:
            raise InputError(
                "nothing under `inputs` says where the momenta of a graph's nodes stand: a group such as pf_vectors "
                f"with px, py, pz and energy was expected, and there are {', '.join(groups) or 'none'}"
            )
        if len(nodes) == 1 and inputs:
            self._notes.different.append(
                "weaver hands pf_features to the network in its order; for a particle_transformer that is "
                f"`model: {{name: particle_transformer, inputs: [{', '.join(inputs)}]}}`"
            )
        own = [f"{family}_{kind}" for family, parts in families.items() for kind in parts]
        globals_ = self._globals({group: content for group, content in groups.items() if group not in own})
        found: dict[str, Any] = {"nodes": nodes, "node_features": ["pt", "eta", "phi", "energy", *features, "type"]}
        return found | ({"transforms": transforms} if transforms else {}) | ({"globals": globals_} if globals_ else {})

    def _collection(self, family: str, parts: Mapping[str, Mapping[str, Any]]) -> _Made | None:
        """Returns the collection of one family of inputs; None if it has no momenta."""
        vectors = self._parameters.variables(parts.get("vectors", {}))
        if len(vectors) != len(MOMENTA):
            named = ", ".join(f"{family}_{kind}" for kind in parts)
            self._notes.lose(
                f"inputs.{named}", f"nodes need momenta, and there is no {family}_vectors of px, py, pz, energy"
            )
            return None
        values = [self.value(f"inputs.{family}_vectors", ast.Name(variable.name)) for variable in vectors]
        if any(value is None for value in values):
            return None
        made = _Made({"features": dict(zip(MOMENTA, values, strict=True))}, {}, [])
        momenta = Momenta(self._formulas, [variable.name for variable in vectors])
        known: dict[str, str] = {}
        chosen = self._parameters.variables(parts.get("features", {}))
        prefix = prefix_of([variable.name for variable in (*chosen, *vectors)])
        for variable in chosen:
            self._feature(family, variable, momenta, made, known=known, prefix=prefix)
        self._mask(family, self._parameters.variables(parts.get("mask", {})), made)
        self._scaling(chosen)
        if "points" in parts:
            self._notes.different.append(f"{family}_points: neighbours are found in eta and phi of the momenta")
        lengths = {part.get("length") for part in parts.values()} - {None}
        if lengths:
            self._notes.different.append(
                f"length {', '.join(map(str, sorted(lengths, key=str)))} of {family}_*: nothing is cut or padded"
            )
        return made

    def _feature(
        self,
        family: str,
        variable: Variable,
        momenta: Momenta,
        made: _Made,
        *,
        known: dict[str, str],
        prefix: str,
    ) -> None:
        """Adds one input to the collection.

        It is computed from the momenta inside the network, or read as a branch, transformed branch or expression.

        Args:
            family: prefix of the groups of inputs (`pf` of `pf_features`).
            variable: the input.
            momenta: recognises functions of the momenta.
            made: the collection, which is extended.
            known: names of features so far, with the text of their values; extended too.
            prefix: common prefix of the branches, which names of features omit.
        """
        key = f"inputs.{family}_features.{variable.name}"
        try:
            tree = self._formulas.variable(variable.name)
            inside = momenta.made_inside(tree)
            if inside:
                made.inputs.append(inside)
                return
            value, transform, origin = self._feature_value(variable, tree)
        except UntranslatableError as error:
            self._notes.lose(key, error)
            return
        name = _feature_name(origin, prefix, taken=[other for other in known if known[other] != repr(value)])
        known[name] = repr(value)
        made.node["features"][name] = value
        if transform:
            made.transforms[name] = transform
        made.inputs.append(name)

    def _feature_value(self, variable: Variable, tree: ast.expr) -> tuple[Any, str, str]:
        """Returns the value of a feature, its transform, and the name that describes it."""
        branch = self._formulas.branch(tree)
        if (
            branch is None
            and variable.limits is None
            and function_of(tree) in TRANSFORMS
            and isinstance(tree, ast.Call)
        ):
            inner = self._formulas.branch(tree.args[0]) if len(tree.args) == 1 else None
            if inner is not None:
                return inner, str(function_of(tree)), inner
        if variable.limits is not None:
            low, high = variable.limits
            expression = f"clip({self._formulas.expression(tree)}, {low:g}, {high:g})"
            return {"expression": expression}, "", branch or variable.name
        return (
            (branch, "", branch)
            if branch is not None
            else ({"expression": self._formulas.expression(tree)}, "", variable.name)
        )

    def _mask(self, family: str, variables: Sequence[Variable], made: _Made) -> None:
        """Adds the mask of objects; none if the mask consists of ones."""
        for variable in variables:
            try:
                tree = self._formulas.variable(variable.name)
                value = None if function_of(tree) == "ones_like" else self.value(f"inputs.{family}_mask", tree)
                made.node.update({} if value is None else {"mask": value})
            except UntranslatableError as error:
                self._notes.lose(f"inputs.{family}_mask", error)

    def _scaling(self, variables: Sequence[Variable]) -> None:
        scaled = [f"{one.name} ({one.centre}, {one.scale:g})" for one in variables if one.centre is not None]
        if scaled:
            self._notes.different.append(
                f"centre and scale are fitted to the training data and kept with the weights: {', '.join(scaled)}"
            )

    def _globals(self, groups: Mapping[str, Any]) -> dict[str, Any]:
        """Returns features of the graph, from groups with one number per jet."""
        found: dict[str, Any] = {}
        for group, content in groups.items():
            if not _is_of_jet(content):
                self._notes.lose(
                    f"inputs.{group}", "a group is one of *_points, *_features, *_vectors and *_mask, or of length 1"
                )
                continue
            variables = self._parameters.variables(mapping(content))
            values = {one.name: self.value(f"inputs.{group}.{one.name}", ast.Name(one.name)) for one in variables}
            found |= {name: value for name, value in values.items() if value is not None}
            self._scaling(variables)
        return found

    def label(self) -> dict[str, Any] | None:
        """Returns the section `label`: for simple labels a branch or condition for each class."""
        labels = mapping(self._content.get("labels"))
        classes = labels.get("value")
        if labels.get("type") != "simple" or not isinstance(classes, list):
            stacked = self._stacked(mapping(classes))
            if stacked is None:
                self._notes.lose(
                    "labels",
                    "only `simple` labels, or one made by argmax of a stack of branches, have a form here; see "
                    "`label` of the data spec",
                )
            return stacked
        return self._one_hot([(str(name), str(name)) for name in classes])

    def _stacked(self, custom: Mapping[str, Any]) -> dict[str, Any] | None:
        """Returns the section `label` for `np.argmax(np.stack([...], axis=1), axis=1)`; None for anything else."""
        if len(custom) != 1:
            return None
        try:
            tree = self._formulas.tree(str(next(iter(custom.values()))))
        except UntranslatableError:
            return None
        stack = tree.args[0] if isinstance(tree, ast.Call) and function_of(tree) == "argmax" and tree.args else None
        if (
            not isinstance(stack, ast.Call)
            or function_of(stack) != "stack"
            or not stack.args
            or not isinstance(stack.args[0], ast.List)
        ):
            return None
        inner = [
            one.args[0] if isinstance(one, ast.Call) and function_of(one) == "to_numpy" else one
            for one in stack.args[0].elts
        ]
        return self._one_hot([(ast.unparse(one), one) for one in inner])

    def _one_hot(self, classes: Sequence[tuple[str, str | ast.expr]]) -> dict[str, Any] | None:
        prefix = prefix_of([name for name, _ in classes])
        values = {name.removeprefix(prefix): self.value(f"labels.{name}", value) for name, value in classes}
        return None if None in values.values() or not values else {"one_hot": values}

    def weights(self) -> list[Any]:
        """Returns the section `weight`."""
        weights = mapping(self._content.get("weights"))
        if not weights:
            return []
        is_ready = bool(weights.get("use_precomputed_weights"))
        branches = text_list(weights.get("weight_branches" if is_ready else "reweight_basewgt"))
        if not is_ready:
            alike = ", ".join(mapping(weights.get("reweight_vars")))
            self._notes.lose(
                "weights",
                f"weaver draws jets so that {alike} are alike in all classes ({weights.get('reweight_method')}); "
                "here every jet is used with its weight. "
                "Write such weights into the file, and name the branch under `weight`",
            )
        return [
            value for value in (self.value(f"weights.{branch}", branch) for branch in branches) if value is not None
        ]

    def the_rest(self) -> None:
        """Notes the remaining keys."""
        seen = [*text_list(self._content.get("observers")), *text_list(self._content.get("monitor_variables"))]
        if seen:
            self._notes.different.append(
                f"observers ({', '.join(seen)}) need not be copied: `predict` writes its scores row by row beside "
                "the file"
            )
        for key, value in self._content.items():
            if value is None or key in READ:
                continue
            if key in UNNEEDED:
                self._notes.different.append(f"{key}: {UNNEEDED[key]}")
            else:
                self._notes.lose(key, ELSEWHERE.get(key, "no such key is known"))


@dataclass(frozen=True)
class _Made:
    """A collection under construction: its `node` section, transforms by feature, and inputs in weaver's order."""

    node: dict[str, Any]
    transforms: dict[str, str]
    inputs: list[str]


def _is_of_jet(group: Any) -> bool:
    """Whether a group of inputs has one number per jet."""
    return mapping(group).get("length", UNKNOWN) in (1, None)


def _feature_name(origin: str, prefix: str, *, taken: Sequence[str]) -> str:
    short = origin.removeprefix(prefix)
    return origin if short in (*MOMENTUM, *ANGLES, "type", "", *taken) else short
