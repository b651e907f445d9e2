"""What can be read of a tree, by name: branches and RNTuple fields, and the parts of objects such as TLorentzVector."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import awkward as ak
import numpy as np

from root_gnn.data.formats.root_pages import damaged_page

MEMBERS = {
    "fX": "px",
    "fY": "py",
    "fZ": "pz",
    "fE": "energy",
    "fT": "energy",
    "fM": "mass",
    "fPt": "pt",
    "fEta": "eta",
    "fPhi": "phi",
}
"""What ROOT's vector classes call the components of a momentum, and what specs may call them."""
INNER = ("fP", "fCoordinates")
"""Members of ROOT's vector classes that hold others; left out in the names of parts."""

NUMBERS = r"(?:unsigned |u)?(?:char|short|int|long|long long|int\d+_t|float|double|bool|Double32_t|[A-Z]\w*_t)"
PLAIN_VECTOR = re.compile(rf"(?:(?:std::)?vector<)+{NUMBERS}[> ]+")
PLAIN_FIELD = re.compile(rf"(?:(?:std::vector|ROOT::VecOps::RVec|ROOT::RNTupleCardinality)<)*(?:std::)?{NUMBERS}>*")
BASIC_STREAMERS = range(1, 60)  # numbers and arrays of them, in ROOT's TVirtualStreamerInfo
IMPORTED = re.compile(r"_collection\d+")  # what RNTupleImporter makes beside the fields that are meant to be read


@dataclass(frozen=True)
class RootLeaf:
    """One thing to read: a branch or field, and the fields on the way where it is part of an object."""

    origin: Any
    fields: tuple[str, ...] = ()

    def array(self, start: int, stop: int) -> Any:
        """The entries `start .. stop - 1`; uproot raises many kinds of errors."""
        if hasattr(self.origin, "to_akform"):
            damage = damaged_page(self.origin.ntuple, _form(self.origin), start, stop)
            if damage:
                raise ValueError(f"{damage} does not agree with its checksum")
        array = self.origin.array(entry_start=start, entry_stop=stop, library="ak", array_cache=None)
        for field in self.fields:
            array = array[field]
        return ak.to_packed(array) if self.fields else array

    def type(self) -> str:
        """The type of one entry in awkward's words, from the description in the file alone; empty where it can't be told."""
        whole = _whole(self.origin)
        kind = dict(_parts(whole)).get(self.fields) if self.fields else whole
        return "" if kind is None else str(kind)

    @property
    def counter(self) -> RootLeaf | None:
        """The branch that counts the values of each entry, where the file has one that holds a number an entry."""
        branch = getattr(self.origin, "count_branch", None)
        kind = None if branch is None else _whole(branch)
        return (
            RootLeaf(branch) if isinstance(kind, ak.types.NumpyType) and np.dtype(kind.primitive).kind in "iu" else None
        )


def leaves_of(tree: Any) -> dict[str, RootLeaf]:
    """Everything in a tree by name, in the order of the file; the first of branches that share a name.

    A branch has its full path (`Jet/Jet.PT`), and the parts of an object are named `branch.member`. Behind them stand shorter
    names, where they are unambiguous: paths with dots (`Jet.PT`), dots for the colons of RNTuples, and `px py pz energy`, `pt eta phi mass`
    for the members of ROOT's vector classes (`muon.px` for `muon.fP.fX`).
    """
    found: dict[str, RootLeaf] = {}
    for name, leaf in _fields(tree) if hasattr(tree, "field_records") else _branches(tree):
        found.setdefault(name, leaf)
    meant: dict[str, list[str]] = {}
    for name in found:
        for short in dict.fromkeys((dotted_branch(name), friendly(dotted_branch(name)))):
            if short not in found:
                meant.setdefault(short, []).append(name)
    return {**found, **{short: found[names[0]] for short, names in meant.items() if len(names) == 1}}


def dotted_branch(name: str) -> str:
    """A path with dots instead of slashes and colons, each step named once: `Jet/Jet.PT` is `Jet.PT`, `mu/fP/fP.fX` is `mu.fP.fX`."""
    whole, *steps = name.split("/")
    last = whole
    for step in steps:
        repeated = step.startswith(last if last.endswith(".") else f"{last}.")
        whole = whole.removesuffix(last) + step if repeated else f"{whole}.{step}"
        last = step
    return whole.replace(":", ".")


def friendly(name: str) -> str:
    """The name with the members of ROOT's vector classes called by what they are; itself where there are none."""
    *steps, last = name.split(".")
    if not steps or last not in MEMBERS:
        return name
    return ".".join((*(step for step in steps if step not in INNER), MEMBERS[last]))


def _branches(tree: Any) -> Iterator[tuple[str, RootLeaf]]:
    for name, branch in tree.iteritems(recursive=True):
        yield name, RootLeaf(branch)
        if not _is_plain(branch) and not len(branch.branches):
            yield from (
                (".".join((name, *fields)), RootLeaf(branch, fields)) for fields, _ in _parts(_whole(branch)) if fields
            )


def _fields(tree: Any) -> Iterator[tuple[str, RootLeaf]]:
    """Top-level fields and, of those that are records or lists of records, the fields inside."""
    for place, record in enumerate(tree.field_records):
        if record.parent_field_id != place:  # a field that is its own parent is a top-level one
            continue
        field = tree.all_fields[place]
        yield record.field_name, RootLeaf(field)
        if not IMPORTED.fullmatch(record.field_name) and not PLAIN_FIELD.fullmatch(record.type_name):
            yield from (
                (".".join((record.field_name, *fields)), RootLeaf(field, fields))
                for fields, _ in _parts(_whole(field))
                if fields
            )


def _whole(origin: Any) -> Any:
    """The awkward type of one entry; None where uproot cannot tell it."""
    try:
        return _form(origin).type
    except Exception:  # uproot raises many kinds for types that it does not know
        return None


def _form(origin: Any) -> Any:
    if not hasattr(origin, "to_akform"):
        return origin.interpretation.awkward_form(origin.file)
    # to_akform itself walks through every field of the RNTuple
    inside = [] if PLAIN_FIELD.fullmatch(origin.typename) else [f"{origin.name}.{key}" for key in origin.keys()]  # noqa: SIM118 no dict
    return origin.ntuple.field_form(origin.field_id, [origin.name, *inside])


def _parts(kind: Any) -> Iterator[tuple[tuple[str, ...], Any]]:
    """The fields on the way to everything in a type that is no record, and what it is there, lists around it included."""
    if isinstance(kind, ak.types.RecordType):
        for field in kind.fields:
            if field.startswith("@"):  # bytes that uproot passes over
                continue
            yield from (((field, *fields), inside) for fields, inside in _parts(kind.content(field)))
    elif isinstance(kind, ak.types.ListType) and kind.parameter("__array__") is None:
        yield from ((fields, ak.types.ListType(inside)) for fields, inside in _parts(kind.content))
    elif isinstance(kind, ak.types.RegularType) and kind.parameter("__array__") is None:
        yield from ((fields, ak.types.RegularType(inside, kind.size)) for fields, inside in _parts(kind.content))
    elif kind is not None:
        yield (), kind


def _is_plain(branch: Any) -> bool:
    """Whether a branch holds numbers, or vectors of them: finding out how to read 2,600 of those would take long."""
    if branch.classname == "TBranch":
        leaves = branch.member("fLeaves")
        return len(leaves) == 1 and leaves[0].classname not in ("TLeafElement", "TLeafObject")
    if not branch.has_member("fClassName"):
        return False
    return branch.member("fStreamerType") in BASIC_STREAMERS or bool(
        PLAIN_VECTOR.fullmatch(branch.member("fClassName"))
    )
