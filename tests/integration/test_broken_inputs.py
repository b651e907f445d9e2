"""Inputs broken in every way we know of: each has one outcome, by the command line, and none leaves a half-made cache.

`refused` is exit code 2, one paragraph and no shard of the bad file; `handled` is exit code 0, with the words in the
report; `right` is exit code 0, with as many graphs in the cache as given.
"""

from __future__ import annotations

import contextlib
import json
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import awkward as ak
import h5py
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import uproot

from root_gnn.config.yaml import dump_yaml
from root_gnn.data.cache.shard import Meta

Leave = Callable[..., int]
N = 400
JET = {"pt": "jet_pt", "eta": "jet_eta", "phi": "jet_phi", "mass": "jet_m"}


def events(n: int = N, *, first: int = 0) -> dict[str, Any]:
    """Columns of well-behaved events: some jets each, ids that begin at `first`."""
    generator = np.random.default_rng(first + 1)
    count = generator.integers(1, 6, n)
    total = int(count.sum())
    jets = {
        "jet_pt": 20 + generator.exponential(40.0, total),
        "jet_eta": generator.normal(0, 1.5, total),
        "jet_phi": generator.uniform(-3.1, 3.1, total),
        "jet_m": generator.uniform(3, 15, total),
    }
    columns: dict[str, Any] = {name: ak.unflatten(column, count) for name, column in jets.items()}
    return columns | {
        "event": np.arange(first, first + n, dtype=np.int64),
        "w": np.ones(n),
        "kind": np.arange(n, dtype=np.int32) % 2,
    }


def changed(columns: dict[str, Any], name: str, entry: int, value: Any) -> dict[str, Any]:
    """The columns with one entry of one of them replaced."""
    content = columns[name].tolist()
    content[entry] = value
    return columns | {name: ak.Array(content) if isinstance(value, list) else np.array(content)}


def write(path: Path, columns: dict[str, Any], tree: str = "Events") -> Path:
    types = {
        name: ak.Array(column).type.content if ak.Array(column).ndim > 1 else np.asarray(column).dtype
        for name, column in columns.items()
    }
    with uproot.recreate(path, compression=uproot.ZSTD(3)) as file:
        file.mktree(tree, types)
        if len(next(iter(columns.values()))):
            file[tree].extend(columns)
    return path


def spec(**keys: Any) -> dict[str, Any]:
    return {
        "name": "s",
        "source": {"name": "root", "tree": "Events"},
        "nodes": {"jet": {"type": 0, "features": JET}},
        "id": ["event"],
        "weight": ["w"],
        **keys,
    }


@dataclass(frozen=True)
class Case:
    """`make` fills the data folder and may return the spec as text; `code` and `words` are what must come out."""

    name: str
    make: Callable[[Path], Any]
    code: int
    words: str = ""
    keys: Any = None
    n_graph: int | None = None


def bytes_of(change: Callable[[bytes], bytes]) -> Callable[[Path], None]:
    """A good file whose bytes are then changed."""

    def make(folder: Path) -> None:
        path = write(folder / "a.root", events())
        path.write_bytes(change(path.read_bytes()))

    return make


def columns_of(**changes: Callable[[dict[str, Any]], Any]) -> Callable[[Path], None]:
    """A file with some columns changed."""

    def make(folder: Path) -> None:
        columns = events()
        write(folder / "a.root", columns | {name: change(columns) for name, change in changes.items()})

    return make


def entry_of(name: str, entry: int, value: Any) -> Callable[[Path], object]:
    return lambda folder: write(folder / "a.root", changed(events(), name, entry, value))


def named(name: str) -> Callable[[Path], object]:
    return lambda folder: write(folder / name, events())


def text(content: str) -> Callable[[Path], str]:
    """A good file and a spec that is this text."""

    def make(folder: Path) -> str:
        write(folder / "a.root", events())
        return content

    return make


def flipped(content: bytes) -> bytes:
    """Some bytes of the first compressed basket turned over."""
    place = content.index(b"ZS\x01") + 200
    return content[:place] + bytes(byte ^ 0xFF for byte in content[place : place + 40]) + content[place + 40 :]


def shifted(columns: dict[str, Any]) -> Any:
    """Eta with one jet moved from an event to its neighbour: all totals agree, two events do not."""
    lists = columns["jet_eta"].tolist()
    entry = next(k for k in range(10, N) if len(lists[k]) > 1)
    lists[entry + 1].insert(0, lists[entry].pop())
    return ak.Array(lists)


def two(first: dict[str, Any], second: dict[str, Any]) -> Callable[[Path], None]:
    def make(folder: Path) -> None:
        write(folder / "a.root", first)
        write(folder / "b.root", second)

    return make


def good_and_bad(folder: Path) -> None:
    write(folder / "a.root", events())
    (folder / "b.root").write_bytes(b"root" + bytes(300))


def mev(columns: dict[str, Any]) -> dict[str, Any]:
    return columns | {name: columns[name] * 1000.0 for name in ("jet_pt", "jet_m")}


def an_archive(folder: Path) -> None:
    with zipfile.ZipFile(folder / "a.root", "w") as archive:
        archive.writestr("x", "y")


def an_hdf5(folder: Path) -> None:
    with h5py.File(folder / "a.root", "w") as file:
        file["x"] = np.zeros(3)


def a_cut_hdf5(folder: Path) -> None:
    with h5py.File(folder / "a.h5", "w") as file:
        for name in ("pt", "eta", "phi"):
            file[name] = np.random.default_rng(1).random((5000, 4))
    content = (folder / "a.h5").read_bytes()
    (folder / "a.h5").write_bytes(content[: len(content) // 2])


def a_linked_hdf5(folder: Path) -> None:
    (folder / ".hidden").mkdir()
    with h5py.File(folder / ".hidden" / "other.h5", "w") as file:
        file["pt"] = np.ones((3, 2))
    with h5py.File(folder / "a.h5", "w") as file:
        file["pt"] = h5py.ExternalLink(".hidden/other.h5", "pt")
        for name in ("eta", "phi"):
            file[name] = np.zeros((3, 2))


def a_parquet_with_nulls(folder: Path) -> None:
    pq.write_table(
        pa.table({name: pa.array([[1.0], None, [2.0]]) for name in ("pt", "eta", "phi")}), folder / "a.parquet"
    )


def a_cut_parquet(folder: Path) -> None:
    pq.write_table(
        pa.table({name: pa.array([[1.0], [0.5], [2.0]] * 500) for name in ("pt", "eta", "phi")}), folder / "a.parquet"
    )
    content = (folder / "a.parquet").read_bytes()
    (folder / "a.parquet").write_bytes(content[:-50])


def a_pickled_npz(folder: Path) -> None:
    np.savez(folder / "a.npz", X=np.array([{"a": 1}, None], dtype=object))


OTHER = {"nodes": {"jet": {"type": 0, "features": {"pt": "pt", "eta": "eta", "phi": "phi"}}}, "id": [], "weight": []}
SLOTS = {
    "nodes": {
        "mu": {"type": 2, "slots": ["1"], "features": {"pt": "pt%SLOT%", "eta": "eta%SLOT%", "phi": "phi%SLOT%"}}
    },
    "id": [],
    "weight": [],
}
GOOD = dump_yaml(spec())
CASES = [
    Case("cut in the header", bytes_of(lambda b: b[:60]), 2, "a.root"),
    Case("cut in the middle", bytes_of(lambda b: b[: len(b) // 2]), 2, "truncated"),
    Case("cut before the end", bytes_of(lambda b: b[:-100]), 2, "truncated"),
    Case("no bytes", bytes_of(lambda b: b""), 2, "empty"),
    Case("an HTML page", bytes_of(lambda b: b"<!DOCTYPE html><html>login</html>"), 2, "HTML"),
    Case(
        "a Git LFS pointer",
        bytes_of(lambda b: b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 5\n"),
        2,
        "LFS",
    ),
    Case("a ZIP archive", an_archive, 2, "ZIP"),
    Case("an HDF5 file called root", an_hdf5, 2, "HDF5"),
    Case("flipped bytes in a basket", bytes_of(flipped), 2, "damaged"),
    Case(
        "no entries",
        lambda folder: write(folder / "a.root", {k: v[:0] for k, v in events().items()}) and None,
        0,
        n_graph=0,
    ),
    Case("another tree", lambda folder: write(folder / "a.root", events(), tree="other") and None, 2, "no tree Events"),
    Case(
        "a branch missing",
        columns_of(),
        2,
        "no branch jet_mm",
        {"nodes": {"jet": {"type": 0, "features": {**JET, "mass": "jet_mm"}}}},
    ),
    Case("lists of other lengths", entry_of("jet_eta", 7, [0.1] * 9), 2, "entry 7"),
    Case("one event shifted, totals agree", columns_of(jet_eta=shifted), 2, "belong to one collection"),
    Case("NaN", entry_of("jet_m", 3, [float("nan")] * 2), 2, "entry 3"),
    Case("NaN in a weight", entry_of("w", 5, float("nan")), 2, "entry 5"),
    Case("infinity", entry_of("w", 9, float("inf")), 2, "infinity"),
    Case("NaN, dropped", entry_of("w", 5, float("nan")), 0, "NaN or infinity", {"on_nan": "drop"}, N - 1),
    Case("NaN, filled", entry_of("w", 5, float("nan")), 0, "", {"on_nan": "fill", "fill": 1.0}, N),
    Case("negative pt", columns_of(jet_pt=lambda c: -c["jet_pt"]), 2, "negative pt"),
    Case("phi in degrees", columns_of(jet_phi=lambda c: c["jet_phi"] * 57.3), 2, "unit: deg"),
    Case(
        "phi in degrees, said so",
        columns_of(jet_phi=lambda c: c["jet_phi"] * 57.2),
        0,
        "",
        {"nodes": {"jet": {"type": 0, "features": {**JET, "phi": {"branch": "jet_phi", "unit": "deg"}}}}},
        N,
    ),
    Case("phi from 0 to 2 pi", columns_of(jet_phi=lambda c: c["jet_phi"] + np.pi), 0, "", None, N),
    Case("a sentinel for eta", entry_of("jet_eta", 2, [999.9] * 5), 2, "entry 2"),
    Case("MeV in one file, GeV in the other", two(events(), mev(events(first=N))), 2, "1000|MeV|unit"),
    Case("events twice in a file", columns_of(event=lambda c: c["event"] // 2), 2, "on_duplicate"),
    Case("events in two files of a spec, which may be two processes", two(events(), events()), 0, "400", None, 2 * N),
    Case("events twice, kept", columns_of(event=lambda c: c["event"] // 2), 0, "", {"on_duplicate": "keep"}, N),
    Case(
        "ids of 64 bits",
        columns_of(event=lambda c: c["event"].astype(np.uint64) + np.uint64(2**63 + 11)),
        0,
        "",
        None,
        N,
    ),
    Case("ids that are no integers", columns_of(event=lambda c: c["event"] + 0.5), 2, "integer"),
    Case(
        "a huge multiplicity",
        lambda folder: (
            write(
                folder / "a.root",
                {
                    name: ak.concatenate([column[:1], ak.Array([[1.0 + 1e-4 * k for k in range(20_000)]])])
                    if column.ndim > 1
                    else column[:2]
                    for name, column in events().items()
                },
            )
            and None
        ),
        0,
        "",
        None,
        2,
    ),
    Case("a name that is not ASCII", named("Ereignisse_für_Zoë_✓.root"), 0, "", None, N),
    Case("glob characters in a name", named("a[1]*?.root"), 0, "", None, N),
    Case("a colon and blanks in a name", named("run 1: all.root"), 0, "", None, N),
    Case("a number where a list belongs", columns_of(jet_m=lambda c: c["w"]), 2, "a list was expected"),
    Case("a list where a number belongs", columns_of(w=lambda c: c["jet_m"]), 2, "a list per entry"),
    Case("a class that nobody knows", columns_of(), 2, "no class", {"label": {"branch": "kind", "classes": {"a": 0}}}),
    Case(
        "a class that nobody knows, dropped",
        columns_of(),
        0,
        "no class",
        {"label": {"branch": "kind", "classes": {"a": 0}, "other": "drop"}},
        N // 2,
    ),
    Case("a bad file among good ones", good_and_bad, 2, "b.root"),
    Case("a bad file, skipped", good_and_bad, 0, "b.root", {"on_bad_file": "skip"}, N),
    Case("bad files only, skipped", bytes_of(lambda b: b[:60]), 2, "None of the 1 files", {"on_bad_file": "skip"}),
    Case("code in a selection", columns_of(), 2, "column", {"select": "__import__('os').system('touch harm')"}),
    Case("a lambda in a selection", columns_of(), 2, "column", {"select": "(lambda: 1)()"}),
    Case("a tower of powers", columns_of(), 2, "select", {"select": "w > 9**9**9**9"}),
    Case(
        "an unknown name in a selection", columns_of(), 2, "did you mean jet_pt", {"select": "count(jet_ptt > 3) > 1"}
    ),
    Case("a selection that keeps nothing", columns_of(), 0, "select", {"select": "w > 1e9"}, 0),
    Case("a key twice in YAML", text(GOOD + "name: t\n"), 2, "name"),
    Case("a tab in YAML", text(GOOD.replace("  ", "\t")), 2, "tab"),
    Case("an alias in YAML", text(GOOD.replace("name: s\n", "name: &n s\n") + "fill: *n\n"), 2, "alias|anchor"),
    Case("a circle in YAML", text("name: s\nnodes: &a [*a]\n"), 2, "alias|anchor"),
    Case("an object in YAML", text(GOOD + "fill: !!python/object/apply:os.system ['touch harm']\n"), 2, "tag"),
    Case("1e-4 in YAML is a number", text(GOOD + "fill: 1e-4\n"), 0, "", None, N),
    Case("NO in YAML is a word", text(GOOD + "label: {branch: kind, classes: {NO: 0, YES: 1}}\n"), 0, "", None, N),
    Case("a word where a number belongs", text(GOOD + "fill: much\n"), 2, "fill"),
    Case("a key that nobody knows", text(GOOD + "slect: w > 0\n"), 2, "did you mean select"),
    Case("an empty spec", text(""), 2, "missing|empty|mapping"),
    Case("a cut HDF5 file", a_cut_hdf5, 2, "a.h5", {"source": {"name": "hdf5"}, **OTHER}),
    Case("an HDF5 link out of the file", a_linked_hdf5, 2, "a.h5", {"source": {"name": "hdf5"}, **OTHER}),
    Case("nulls in parquet", a_parquet_with_nulls, 2, "null|missing", {"source": {"name": "parquet"}, **OTHER}),
    Case("a cut parquet file", a_cut_parquet, 2, "a.parquet", {"source": {"name": "parquet"}, **OTHER}),
    Case("pickles in npz", a_pickled_npz, 2, "a.npz", {"source": {"name": "npz"}, **OTHER}),
    Case(
        "a short line in CSV",
        lambda folder: (folder / "a.csv").write_text("pt1,eta1,phi1\n1,0,0\n2,0\n") and None,
        2,
        "line 3|3",
        {"source": {"name": "csv"}, **SLOTS},
    ),
    Case(
        "words in CSV",
        lambda folder: (folder / "a.csv").write_text("pt1,eta1,phi1\n1,0,0\n2,x,0\n") and None,
        2,
        "a.csv",
        {"source": {"name": "csv"}, **SLOTS},
    ),
]


def test_there_are_enough_of_them() -> None:
    assert len(CASES) >= 40 and len({case.name for case in CASES}) == len(CASES)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name.replace(" ", "_"))
def test_each_has_its_outcome(
    case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], leave: Leave
) -> None:
    monkeypatch.delenv("ROOT_GNN_CACHE", raising=False)
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "data"
    folder.mkdir()
    content = case.make(folder)
    (tmp_path / "spec.yaml").write_text(content if isinstance(content, str) else dump_yaml(spec(**(case.keys or {}))))
    code = leave("prepare", "spec.yaml", "--data-dir", str(folder))
    out, err = capfd.readouterr()
    assert code == case.code, err or out
    metas = [Meta.load(path.parent) for path in folder.glob(".root_gnn_cache/*/meta.json")]
    said = err if code == 2 else out + err
    assert any(word in said for word in case.words.split("|")), said
    assert "Traceback" not in said and not (tmp_path / "harm").exists()
    assert not list(folder.glob(".root_gnn_cache/.*")), "something half-made was left"
    if code == 2:
        assert "\n\n" not in err.strip()
        assert {meta.source["name"] for meta in metas if meta} <= {"a.root", "b.root"} - (
            {"b.root"} if "bad file" in case.name else set()
        )
    elif case.n_graph is not None:
        assert sum(meta.n_graph for meta in metas if meta) == case.n_graph


def test_after_a_bad_file_is_mended_all_is_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, leave: Leave) -> None:
    monkeypatch.delenv("ROOT_GNN_CACHE", raising=False)
    good_and_bad(tmp_path)
    (tmp_path / "sub").mkdir()
    described = tmp_path / "sub" / "spec.yaml"
    described.write_text(dump_yaml(spec(on_bad_file="skip")))
    assert leave("prepare", str(described), "--data-dir", str(tmp_path)) == 0
    write(tmp_path / "b.root", events(first=N))
    assert leave("prepare", str(described), "--data-dir", str(tmp_path)) == 0
    assert (
        sum(json.loads(path.read_text())["n_graph"] for path in tmp_path.glob(".root_gnn_cache/*/meta.json")) == 2 * N
    )
    with contextlib.suppress(FileNotFoundError):
        (tmp_path / "b.root").unlink()
