"""Which groups of branches become nodes in a drafted spec, and what a graph then is."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from root_gnn.data.inspection.layout import BranchGroup
from root_gnn.data.inspection.naming import ELSEWHERE, KINDS, LEPTON, PARTICLE, split_words
from root_gnn.data.inspection.survey import Survey

MOST_UNKNOWN = 4
FLAVOURS = ("type", "pdgId", "pdgid", "pid", "flavour", "flavor", "id")
TAUS = frozenset({"tau", "taus"})
CONSTITUENTS = 20  # so many numbered objects are no jets or leptons


@dataclass
class Choice:
    """The nodes of a drafted spec.

    Attributes:
        nodes: by collection, the group of branches; `met` among them.
        jet: the numbers of the jet whose constituents the nodes are, where an entry is a jet.
        guessed: collections whose name is a guess.
    """

    nodes: dict[str, BranchGroup] = field(default_factory=dict)
    jet: BranchGroup | None = None
    guessed: tuple[str, ...] = ()

    @property
    def of_constituents(self) -> bool:
        """Whether an entry is one jet and the nodes are its constituents."""
        return "constituent" in self.nodes

    def type_of(self, name: str) -> int:
        """The node type of a collection: the standard ones of events, or its place."""
        standard = [*KINDS, "met", LEPTON]
        return standard.index(name) if name in standard else list(self.nodes).index(name)


def choose_collections(collections: list[BranchGroup], slots: list[BranchGroup], survey: Survey) -> Choice:
    """The groups that become nodes: the plainest of each kind of object, else particles, else whatever has momenta."""
    lists = [found for found in collections if found.deep == 1 and found.kind != "met"]
    singles = [found for found in collections if found.deep == 0]
    ways = (_objects(lists), _particles(lists, singles), _unknown(lists), _numbered(slots), _objects(singles))
    choice = next((choice for choice in ways if choice.nodes), Choice())
    if choice.nodes and not choice.of_constituents:
        missing = _met(collections, survey)
        if missing:
            choice.nodes["met"] = missing
    survey.fetch([branch for found in choice.nodes.values() for branch in found.branches()])
    return choice


def _objects(groups: list[BranchGroup]) -> Choice:
    found = {kind: _plainest(groups, _is(kind)) for kind in KINDS}
    leptons = _plainest(groups, _is(LEPTON))
    if leptons and not (found["electron"] or found["muon"]):
        flavour = next((leptons.columns[name] for name in FLAVOURS if name in leptons.columns), None)
        if flavour is None:
            found[LEPTON] = leptons
        else:
            found["electron"], found["muon"] = (
                replace(leptons, where=f"abs(`{flavour}`) == {number}") for number in (11, 13)
            )
    return Choice({kind: group for kind, group in found.items() if group})


def _particles(lists: list[BranchGroup], singles: list[BranchGroup]) -> Choice:
    found = _plainest(lists, _is(PARTICLE)) or _plainest(lists, lambda group: "qOverP" in group.columns)
    jet = next((group for group in singles if group.kind == "jet" and "pt" in group.features), None)
    if found is None or not (found.has_momentum or jet):
        return Choice()
    return Choice({"constituent": found}, jet) if jet else Choice({PARTICLE: found})


def _unknown(lists: list[BranchGroup]) -> Choice:
    groups = [
        group for group in lists if group.has_momentum and not set(split_words(group.prefix)) & (ELSEWHERE - TAUS)
    ][:MOST_UNKNOWN]
    names = ["jet" if "btag" in group.features else "_".join(split_words(group.prefix)) or "object" for group in groups]
    return Choice(dict(zip(names, groups, strict=True)), guessed=tuple(names))


def _numbered(slots: list[BranchGroup]) -> Choice:
    if not slots:
        return Choice()
    known = [*KINDS, LEPTON]
    if slots[0].kind in known:
        found = {str(group.kind): group for group in reversed(slots) if group.kind in known}
        return Choice({kind: found[kind] for kind in known if kind in found})
    name = "constituent" if len(slots[0].slots) >= CONSTITUENTS else "object"
    return Choice({name: slots[0]}, guessed=(name,))


def _met(collections: list[BranchGroup], survey: Survey) -> BranchGroup | None:
    """Missing momentum that comes once per entry: a number, or a list of one."""
    once = [
        group
        for group in collections
        if group.kind == "met" and (not group.deep or all(map(survey.one_each, group.features.values())))
    ]
    return min(once, key=lambda group: (group.extra_words, group.deep), default=None)


def _plainest(groups: Iterable[BranchGroup], fits: Callable[[BranchGroup], bool]) -> BranchGroup | None:
    there = [group for group in groups if fits(group)]
    return min(there, key=lambda group: (group.extra_words, _spelling(group)), default=None)


def _is(kind: str) -> Callable[[BranchGroup], bool]:
    return lambda group: group.kind == kind and group.has_momentum


def _spelling(group: BranchGroup) -> int:
    last = (split_words(group.prefix) or [""])[-1]
    spellings = KINDS.get(group.kind or "", ())
    return spellings.index(last) if last in spellings else len(spellings)
