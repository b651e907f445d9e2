"""Chooses the groups of branches that become nodes in a drafted spec."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from root_gnn.data.inspection.layout import BranchGroup
from root_gnn.data.inspection.naming import ELSEWHERE, KINDS, LEPTON, PARTICLE, split_words
from root_gnn.data.inspection.survey import Survey

MOST_UNKNOWN = 4
FLAVOURS = ("type", "pdgId", "pdgid", "pid", "flavour", "flavor", "id")
TAUS = frozenset({"tau", "taus"})
CONSTITUENTS = 20  # at least so many numbered objects are constituents, not jets or leptons


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
        """Returns the node type of a collection: that of the standard ntuple, or its index."""
        standard = [*KINDS, "met", LEPTON]
        return standard.index(name) if name in standard else list(self.nodes).index(name)


def choose_collections(collections: list[BranchGroup], slots: list[BranchGroup], survey: Survey) -> Choice:
    """Chooses the groups that become nodes: the plainest of each kind of object, else particles, else any momenta."""
    lists = [group for group in collections if group.deep == 1 and group.kind != "met"]
    singles = [group for group in collections if group.deep == 0]
    ways = (_objects(lists), _particles(lists, singles), _unknown(lists), _numbered(slots), _objects(singles))
    choice = next((choice for choice in ways if choice.nodes), Choice())
    if choice.nodes and not choice.of_constituents:
        missing = _met(collections, survey)
        if missing:
            choice.nodes["met"] = missing
    survey.fetch([branch for group in choice.nodes.values() for branch in group.branches()])
    return choice


def _objects(groups: list[BranchGroup]) -> Choice:
    by_kind = {kind: _plainest(groups, _is(kind)) for kind in KINDS}
    leptons = _plainest(groups, _is(LEPTON))
    if leptons and not (by_kind["electron"] or by_kind["muon"]):
        flavour = next((leptons.columns[name] for name in FLAVOURS if name in leptons.columns), None)
        if flavour is None:
            by_kind[LEPTON] = leptons
        else:
            by_kind["electron"], by_kind["muon"] = (
                replace(leptons, where=f"abs(`{flavour}`) == {number}") for number in (11, 13)
            )
    return Choice({kind: group for kind, group in by_kind.items() if group})


def _particles(lists: list[BranchGroup], singles: list[BranchGroup]) -> Choice:
    particles = _plainest(lists, _is(PARTICLE)) or _plainest(lists, lambda group: "qOverP" in group.columns)
    jet = next((group for group in singles if group.kind == "jet" and "pt" in group.features), None)
    if particles is None or not (particles.has_momentum or jet):
        return Choice()
    return Choice({"constituent": particles}, jet) if jet else Choice({PARTICLE: particles})


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
        by_kind = {str(group.kind): group for group in reversed(slots) if group.kind in known}
        return Choice({kind: by_kind[kind] for kind in known if kind in by_kind})
    name = "constituent" if len(slots[0].slots) >= CONSTITUENTS else "object"
    return Choice({name: slots[0]}, guessed=(name,))


def _met(collections: list[BranchGroup], survey: Survey) -> BranchGroup | None:
    """Returns the missing momentum that occurs once per entry, as a number or a list of one."""
    once = [
        group
        for group in collections
        if group.kind == "met" and (not group.deep or all(map(survey.one_each, group.features.values())))
    ]
    return min(once, key=lambda group: (group.extra_words, group.deep), default=None)


def _plainest(groups: Iterable[BranchGroup], fits: Callable[[BranchGroup], bool]) -> BranchGroup | None:
    fitting = [group for group in groups if fits(group)]
    return min(fitting, key=lambda group: (group.extra_words, _spelling(group)), default=None)


def _is(kind: str) -> Callable[[BranchGroup], bool]:
    return lambda group: group.kind == kind and group.has_momentum


def _spelling(group: BranchGroup) -> int:
    last = (split_words(group.prefix) or [""])[-1]
    spellings = KINDS.get(group.kind or "", ())
    return spellings.index(last) if last in spellings else len(spellings)
