"""The readable parts of a tree by name: branches, RNTuple fields, and members of objects such as TLorentzVector."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import awkward as ak
import numpy as np

from root_gnn.data.formats.root_pages import first_damaged_page

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
"""Members of ROOT's vector classes, and the names of momentum components that specs may use for them."""
INNER = ("fP", "fCoordinates")
"""Members of ROOT's vector classes that only contain others; short names omit them."""

NUMBERS = r"(?:unsigned |u)?(?:char|short|int|long|long long|int\d+_t|float|double|bool|Double32_t|[A-Z]\w*_t)"
PLAIN_VECTOR = re.compile(rf"(?:(?:std::)?vector<)+{NUMBERS}[> ]+")
PLAIN_FIELD = re.compile(rf"(?:(?:std::vector|ROOT::VecOps::RVec|ROOT::RNTupleCardinality)<)*(?:std::)?{NUMBERS}>*")
BASIC_STREAMERS = range(1, 60)  # numbers and arrays of them, in ROOT's TVirtualStreamerInfo
IMPORTED = re.compile(r"_collection\d+")  # helper fields that ROOT's RNTupleImporter adds


@dataclass(frozen=True)
class RootLeaf:
    """A readable part of a tree.

    Attributes:
        origin: the branch or field of uproot.
        fields: the path of member names inside it; empty for the whole.
    """

    origin: Any
    fields: tuple[str, ...] = ()

    def array(self, start: int, stop: int) -> Any:
        """The entries `start .. stop - 1` as an awkward array.

        Raises ValueError at a page with a wrong checksum; uproot raises further kinds of errors.
        """
        if hasattr(self.origin, "to_akform"):
            damage = first_damaged_page(self.origin.ntuple, _form(self.origin), start, stop)
            if damage:
                raise ValueError(f"{damage} contradicts its checksum")
        array = self.origin.array(entry_start=start, entry_stop=stop, library="ak", array_cache=None)
        for field in self.fields:
            array = array[field]
        return ak.to_packed(array) if self.fields else array

    def type(self) -> str:
        """The type of one entry in awkward's notation, from the file's metadata alone; empty if it is unknown."""
        whole = _whole(self.origin)
        kind = dict(_parts(whole)).get(self.fields) if self.fields else whole
        return "" if kind is None else str(kind)

    @property
    def counter(self) -> RootLeaf | None:
        """The branch with the number of values of each entry; None if the file has no such branch of integers."""
        branch = getattr(self.origin, "count_branch", None)
        kind = None if branch is None else _whole(branch)
        return (
            RootLeaf(branch) if isinstance(kind, ak.types.NumpyType) and np.dtype(kind.primitive).kind in "iu" else None
        )


def leaves_of(tree: Any) -> dict[str, RootLeaf]:
    """The readable parts of a tree by name, in the order of the file; of equal names the first.

    A branch is named by its full path (`Jet/Jet.PT`), and parts of an object `branch.member`. Unambiguous short names
    follow: paths with dots (`Jet.PT`), dots for the colons of RNTuples, and `px py pz energy`, `pt eta phi mass` for
    the members of ROOT's vector classes (`muon.px` for `muon.fP.fX`).
    """
    leaves: dict[str, RootLeaf] = {}
    for name, leaf in _fields(tree) if hasattr(tree, "field_records") else _branches(tree):
        leaves.setdefault(name, leaf)
    full_names: dict[str, list[str]] = {}
    for name in leaves:
        for short in dict.fromkeys((dotted_branch(name), conventional_name(dotted_branch(name)))):
            if short not in leaves:
                full_names.setdefault(short, []).append(name)
    return {**leaves, **{short: leaves[names[0]] for short, names in full_names.items() if len(names) == 1}}


def dotted_branch(name: str) -> str:
    """A branch path with dots for slashes and colons, without repetitions: `Jet/Jet.PT` becomes `Jet.PT`.

    `mu/fP/fP.fX` becomes `mu.fP.fX`.
    """
    whole, *steps = name.split("/")
    last = whole
    for step in steps:
        repeated = step.startswith(last if last.endswith(".") else f"{last}.")
        whole = whole.removesuffix(last) + step if repeated else f"{whole}.{step}"
        last = step
    return whole.replace(":", ".")


def conventional_name(name: str) -> str:
    """The name with momentum components (`px`) for members of ROOT's vector classes (`fP.fX`), otherwise unchanged."""
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
    """Top-level fields, and the fields inside those that are records or lists of records."""
    for index, record in enumerate(tree.field_records):
        if record.parent_field_id != index:  # only a top-level field is its own parent
            continue
        field = tree.all_fields[index]
        yield record.field_name, RootLeaf(field)
        if not IMPORTED.fullmatch(record.field_name) and not PLAIN_FIELD.fullmatch(record.type_name):
            yield from (
                (".".join((record.field_name, *fields)), RootLeaf(field, fields))
                for fields, _ in _parts(_whole(field))
                if fields
            )


def _whole(origin: Any) -> Any:
    """The awkward type of one entry; None if uproot does not know it."""
    try:
        return _form(origin).type
    except Exception:  # uproot raises many kinds for types that it does not know
        return None


def _form(origin: Any) -> Any:
    if not hasattr(origin, "to_akform"):
        return origin.interpretation.awkward_form(origin.file)
    # field_form with the names of this field is quick; to_akform visits every field of the RNTuple
    is_plain = PLAIN_FIELD.fullmatch(origin.typename)
    inside = [] if is_plain else [f"{origin.name}.{key}" for key in origin.keys()]  # noqa: SIM118 a field is no dict
    return origin.ntuple.field_form(origin.field_id, [origin.name, *inside])


def _parts(kind: Any) -> Iterator[tuple[tuple[str, ...], Any]]:
    """The path of member names to each part of a type that is no record, and its type, enclosing lists included."""
    if isinstance(kind, ak.types.RecordType):
        for field in kind.fields:
            if field.startswith("@"):  # bytes that uproot skips
                continue
            yield from (((field, *fields), inside) for fields, inside in _parts(kind.content(field)))
    elif isinstance(kind, ak.types.ListType) and kind.parameter("__array__") is None:
        yield from ((fields, ak.types.ListType(inside)) for fields, inside in _parts(kind.content))
    elif isinstance(kind, ak.types.RegularType) and kind.parameter("__array__") is None:
        yield from ((fields, ak.types.RegularType(inside, kind.size)) for fields, inside in _parts(kind.content))
    elif kind is not None:
        yield (), kind


def _is_plain(branch: Any) -> bool:
    """Whether a branch holds numbers or vectors of them.

    This looks at the class name only: asking uproot for the interpretation of 2,600 branches takes long.
    """
    if branch.classname == "TBranch":
        leaves = branch.member("fLeaves")
        return len(leaves) == 1 and leaves[0].classname not in ("TLeafElement", "TLeafObject")
    if not branch.has_member("fClassName"):
        return False
    return branch.member("fStreamerType") in BASIC_STREAMERS or bool(
        PLAIN_VECTOR.fullmatch(branch.member("fClassName"))
    )
