"""Which groups become nodes."""

from __future__ import annotations

from typing import Any, cast

from root_gnn.data.inspection.choice import Choice, choose_collections
from root_gnn.data.inspection.layout import BranchGroup, collections, leaf_of
from root_gnn.data.inspection.survey import Survey


class NoEntries:
    """A survey of a file without entries."""

    def fetch(self, branches: list[str]) -> None:
        """Reads nothing."""


def chosen(*prefixes: str) -> Choice:
    names = [f"{prefix}_{feature}" for prefix in prefixes for feature in ("pt", "eta", "phi")]
    groups = collections({name: leaf_of(name, "var * float32") for name in names})
    return choose_collections(groups, [], cast(Any, NoEntries()))


def test_the_plainest_group_of_each_kind_is_taken() -> None:
    choice = chosen("SoftDropJet", "Jet", "Muon")
    assert {name: group.prefix for name, group in choice.nodes.items()} == {"jet": "Jet", "muon": "Muon"}
    assert choice.type_of("jet") == 0 and choice.guessed == ()


def test_unknown_groups_with_momenta_are_guesses() -> None:
    assert chosen("Blob").guessed == ("blob",)


def test_nothing_is_chosen_of_nothing() -> None:
    groups: list[BranchGroup] = []
    assert choose_collections(groups, [], cast(Survey, NoEntries())).nodes == {}
