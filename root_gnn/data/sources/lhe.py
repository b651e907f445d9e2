"""Les Houches event files (Alwall et al. 2006, hep-ph/0609017; version 3: arXiv:1405.1067), parsed with pylhe."""

from __future__ import annotations

import gzip
import re
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Self

import awkward as ak
import numpy as np

from root_gnn.data.formats.root_file import first_line
from root_gnn.data.formats.sniff import format_of, refuse_other_formats
from root_gnn.errors import InputError, MissingExtraError, suggest
from root_gnn.protocols import Source, SourceConfig

CHUNK_ENTRIES = 5_000
TAG = b"<LesHouchesEvents"
FORMATS = ("LHE", "gzip-compressed LHE")
PARTICLE_NUMBERS = {
    "px": "px",
    "py": "py",
    "pz": "pz",
    "energy": "e",
    "mass": "m",
    "lifetime": "lifetime",
    "spin": "spin",
}
PARTICLE_INTEGERS = {
    "pdgId": "id",
    "status": "status",
    "mother1": "mother1",
    "mother2": "mother2",
    "color1": "color1",
    "color2": "color2",
}
EVENT_NUMBERS = {"weight": "weight", "scale": "scale", "alphas_qcd": "aqcd", "alphas_qed": "aqed"}
EVENT_INTEGERS = {"process_id": "pid", "n_particle": "nparticles"}
WEIGHT = "weights."
BEGIN = re.compile(rb"\s*<event[\s>]")
TAG_OR_EXPONENT = re.compile(r"<[^>]*>|(?<=[0-9.])[Dd](?=[+-]?[0-9])")
POSITIONAL = re.compile(r"<weights>([^<]*)</weights>")
TRUNCATED = "the file is cut short; fetch or write it again"


class Config(SourceConfig):
    """A Les Houches file, gzip-compressed or not: partons of the hard process, in GeV, and event weights."""

    formats: ClassVar = ("LHE",)
    article: ClassVar = "an"
    magic: ClassVar = (TAG,)
    endings: ClassVar = (".lhe",)
    gzipped: ClassVar = True
    order: ClassVar = 50
    hint: ClassVar = (
        "it is a Les Houches file (LHE) of hard events: shower it with `root-gnn simulate --lhe FILE --out DIR`, or "
        "read its partons with the spec lhe_partons"
    )

    @classmethod
    def recognise(cls, head: bytes) -> str:
        """`LHE` where the bytes begin with its tag, or have it after an XML declaration or comment."""
        is_xml = head.lstrip().startswith((b"<?xml", b"<!--"))
        return "LHE" if is_xml and TAG in head else super().recognise(head)

    @contextmanager
    def open(self, path: Path) -> Iterator[Lhe]:
        """The events of a file; raises InputError if it is not LHE, or is cut short."""
        actual = format_of(path)
        if actual not in FORMATS:
            refuse_other_formats(path, "LHE")
        pylhe = _import_pylhe()
        index = _index(path, zipped=actual != "LHE")
        with _opened(path, index.zipped) as stream:
            yield Lhe(path, stream, index, pylhe)

    @classmethod
    def found_in(cls, path: Path) -> list[Self]:
        """The events of the file."""
        with cls().open(path):
            return [cls()]


@dataclass
class Index:
    """The positions of the events in a file, in bytes of the decompressed text, and the parts before them.

    Attributes:
        zipped: whether the file is gzip-compressed.
        begin: where each event begins.
        end: where the last event ends.
        init: the block `<init>`.
        weights: the block `<initrwgt>`, which names the weights.
    """

    zipped: bool
    begin: list[int] = field(default_factory=list)
    end: int = 0
    init: bytes = b""
    weights: bytes = b""

    def head(self) -> str:
        """The XML in front of the events, without the run cards, which are often no valid XML."""
        header = b"<header>" + self.weights + b"</header>" if self.weights else b""
        return '<LesHouchesEvents version="3.0">\n' + _decode(header) + _exponents(_decode(self.init)) + "\n"


class Lhe(Source):
    """The events of an open Les Houches file; entry 0 is the first event."""

    def __init__(self, path: Path, stream: Any, index: Index, pylhe: Any) -> None:
        self.path, self._stream, self._index, self._pylhe = path, stream, index, pylhe
        self.n_entry = len(index.begin)
        self._bounds = np.array([*index.begin, index.end], dtype=np.int64)
        self._head = index.head()
        self._init, first = self._parse(0, min(self.n_entry, 1))
        self._weights = tuple(first[0].weights) if first else ()
        self._types = {
            **dict.fromkeys(PARTICLE_NUMBERS, "var * float64"),
            **dict.fromkeys(PARTICLE_INTEGERS, "var * int64"),
            **dict.fromkeys(EVENT_NUMBERS, "float64"),
            **dict.fromkeys(EVENT_INTEGERS, "int64"),
            **{f"{WEIGHT}{name}": "float64" for name in self._weights},
        }
        self.branches = tuple(self._types)

    def read(self, branches: tuple[str, ...], start: int, stop: int) -> dict[str, Any]:
        """The named branches of events `start .. stop - 1`.

        Raises InputError at an event that is not as the format wants it.
        """
        missing = [name for name in branches if name not in self._types]
        if missing:
            raise InputError(
                f"{self.path}: Les Houches events have no {missing[0]} here{suggest(missing[0], self.branches)}"
            )
        _, events = self._parse(start, stop)
        count = np.array([len(event.particles) for event in events], dtype=np.int64)
        return {name: self._branch(name, events, count, start) for name in branches}

    def chunks(self, branches: tuple[str, ...]) -> Iterator[tuple[int, int]]:  # noqa: ARG002 part of the protocol
        """Ranges of `CHUNK_ENTRIES` events."""
        for start in range(0, self.n_entry, CHUNK_ENTRIES):
            yield start, min(start + CHUNK_ENTRIES, self.n_entry)

    def type_of(self, branch: str) -> str:
        """The type of one entry in awkward's notation."""
        return self._types[branch]

    def metadata(self) -> dict[str, Any]:
        """The cross section in pb, summed over the processes of `<init>`; nothing unless it is positive."""
        total = float(sum(process.xSection for process in self._init.procInfo))
        return {"cross_section": total} if np.isfinite(total) and total > 0 else {}

    def _branch(self, name: str, events: list[Any], count: Any, start: int) -> Any:
        if name.startswith(WEIGHT):
            key = name.removeprefix(WEIGHT)
            for index, event in enumerate(events):
                if key not in event.weights:
                    raise InputError(
                        f"{self.path}: event {start + index} has no weight {key}, which the first event has."
                    )
            return ak.Array(np.array([event.weights[key] for event in events], dtype=np.float64))
        whole = name in PARTICLE_INTEGERS or name in EVENT_INTEGERS
        kind: Any = np.int64 if whole else np.float64
        if name in EVENT_NUMBERS or name in EVENT_INTEGERS:
            own = {**EVENT_NUMBERS, **EVENT_INTEGERS}[name]
            return ak.Array(np.array([getattr(event.eventinfo, own) for event in events], dtype=kind))
        own = {**PARTICLE_NUMBERS, **PARTICLE_INTEGERS}[name]
        values = (getattr(particle, own) for event in events for particle in event.particles)
        return ak.unflatten(np.fromiter(values, dtype=kind, count=int(count.sum())), count)

    def _parse(self, start: int, stop: int) -> tuple[Any, list[Any]]:
        body = _exponents(_decode(self._bytes(start, stop)))
        # without names in the header, weights are known by their position
        body = body if self._index.weights else POSITIONAL.sub(_named_by_position, body)
        text = self._head + body + "\n</LesHouchesEvents>\n"
        events: list[Any] = []
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # pylhe warns, and ends early, where the text is no XML
            try:
                file = self._pylhe.LHEFile.fromstring(text)
            except (ValueError, IndexError, KeyError) as error:
                what = f"{self.path}: the <init> block, or the weights of the header, cannot be read"
                raise InputError(f"{what}. ({first_line(error)})") from error
            try:
                events.extend(file.events)
            except (ValueError, IndexError, KeyError) as error:
                raise self._garbled(start + len(events), first_line(error)) from error
        if len(events) != stop - start:
            raise self._garbled(start + len(events), "no XML")
        for index, event in enumerate(events):
            if len(event.particles) != event.eventinfo.nparticles:
                raise self._garbled(
                    start + index, f"{event.eventinfo.nparticles} particles announced, {len(event.particles)} present"
                )
        return file.init, events

    def _bytes(self, start: int, stop: int) -> bytes:
        first, last = int(self._bounds[start]), int(self._bounds[stop])
        self._stream.seek(first)
        return bytes(self._stream.read(last - first))

    def _garbled(self, event: int, reason: str) -> InputError:
        return InputError(
            f"{self.path}: event {event} (from 0 on) is not as the format wants it; the file is damaged. ({reason})"
        )


def _index(path: Path, *, zipped: bool) -> Index:
    """Finds the events of a file in one pass over its lines; raises InputError if the file is cut short."""
    index, position = Index(zipped), 0
    inside = footer = False
    try:
        with _opened(path, zipped) as stream:
            for line in stream:
                if BEGIN.match(line):
                    if inside:
                        raise InputError(
                            f"{path}: event {len(index.begin) - 1} (from 0 on) has no end; the file is damaged."
                        )
                    index.begin.append(position)
                    inside = True
                elif not index.begin:  # between events there may be comments; the header precedes the first one
                    _add_header(index, line)
                position += len(line)
                if inside and b"</event>" in line:
                    inside, index.end = False, position
                footer = footer or b"</LesHouchesEvents>" in line
    except (OSError, EOFError, zlib.error) as error:
        what = f"{path}: the file cannot be read after event {len(index.begin) - 1} (from 0 on)"
        raise InputError(f"{what}; {TRUNCATED}. ({error})") from error
    if inside:
        raise InputError(f"{path}: event {len(index.begin) - 1} (from 0 on) has no end; {TRUNCATED}.")
    if not footer:
        raise InputError(
            f"{path}: there is no closing </LesHouchesEvents> after the {len(index.begin):,} events; {TRUNCATED} (or "
            "append the tag where only that is missing)."
        )
    return index


def _add_header(index: Index, line: bytes) -> None:
    """Appends a line in front of the events to the block of the index that it belongs to, if any."""
    for name, tag in (("weights", b"initrwgt"), ("init", b"init")):
        block = getattr(index, name)
        begin = re.search(rb"<" + tag + rb"[\s>]", line) is not None
        if begin or (block and b"</" + tag + b">" not in block):
            setattr(index, name, block + line)


@contextmanager
def _opened(path: Path, zipped: bool) -> Iterator[Any]:
    with path.open("rb") as stream:
        if not zipped:
            yield stream
            return
        with gzip.open(stream) as unzipped:
            yield unzipped


def _exponents(text: str) -> str:
    """The text with the exponents of Fortran's double precision, as in 0.15D+01, written with E; tags are unchanged."""
    return TAG_OR_EXPONENT.sub(lambda match: "E" if match[0] in "Dd" else match[0], text)


def _named_by_position(weights: re.Match[str]) -> str:
    """A block of weights by position as one of named weights: `0`, `1` and so on."""
    named = (f'<wgt id="{position}"> {value} </wgt>' for position, value in enumerate(weights[1].split()))
    return f"<rwgt>{''.join(named)}</rwgt>"


def _decode(text: bytes) -> str:
    return text.decode("utf-8", errors="replace")


def _import_pylhe() -> Any:
    try:
        import pylhe
    except ImportError as error:
        raise MissingExtraError("pylhe", "io", "Reading Les Houches files") from error
    return pylhe
