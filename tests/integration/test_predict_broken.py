"""Inputs broken, filtered or laid out in every way we know of, and the scores beside them.

Where a friend is written, uproot reads as many rows from it as from the input, the status says what became of each
entry, a score is NaN where the status is not 0 and nowhere else, and each one is that of its own entry, held against
the network asked about that event alone. Where the input can't be read, the command ends with exit code 2, names the
file and the place in it, and leaves nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
import uproot
from numpy.typing import NDArray

from root_gnn.config.yaml import dump_yaml
from root_gnn.graph.batch import Batch
from root_gnn.prediction.predict import LEFT_OUT, SCORED
from root_gnn.runs.run import Run
from root_gnn.runs.train import train

Columns = dict[str, Any]
Leave = Callable[..., int]
N = 40
JET = {"pt": "jet_pt", "eta": "jet_eta", "phi": "jet_phi", "mass": "jet_m"}
NODES = {"jet": {"type": 0, "features": JET}}
FOLDER = Path("in")


def events(n: int = N, seed: int = 1) -> Columns:
    """Well-behaved events in float32: one to five jets each, ids, weights of both signs, a class."""
    generator = np.random.default_rng(seed)
    count = generator.integers(1, 6, n)
    total = int(count.sum())
    jets = {
        "jet_pt": 20 + generator.exponential(40.0, total),
        "jet_eta": generator.normal(0, 1.5, total),
        "jet_phi": generator.uniform(-3.1, 3.1, total),
        "jet_m": generator.uniform(3, 15, total),
    }
    columns: Columns = {name: ak.unflatten(column.astype(np.float32), count) for name, column in jets.items()}
    return columns | {
        "event": np.arange(n, dtype=np.int64),
        "w": np.ones(n, dtype=np.float32),
        "kind": np.arange(n, dtype=np.int32) % 2,
    }


def types(columns: Columns) -> Columns:
    return {
        name: column.type.content if isinstance(column, ak.Array) else column.dtype for name, column in columns.items()
    }


def write(path: Path, columns: Columns, *, tree: str = "Events", pieces: int = 1) -> None:
    """A TTree in so many clusters."""
    with uproot.recreate(path) as file:
        file.mktree(tree, types(columns))
        for part in np.array_split(np.arange(len(columns["jet_pt"])), pieces):
            if len(part):
                file[tree].extend({name: column[part[0] : part[-1] + 1] for name, column in columns.items()})


def changed(columns: Columns, name: str, entry: int, value: Any) -> Columns:
    """The columns with one entry of one of them replaced."""
    content = ak.to_list(columns[name])
    content[entry] = value
    new = ak.values_astype(ak.Array(content), np.float32)
    return columns | {name: new if new.ndim > 1 else ak.to_numpy(new)}


def spec(**keys: Any) -> Columns:
    base = {"name": "s", "source": {"name": "root", "tree": "Events"}, "nodes": NODES, "id": ["event"], "weight": ["w"]}
    return base | {"label": {"branch": "kind", "classes": {"first": 0, "second": 1}}} | keys


@dataclass(frozen=True)
class Written:
    """What was written: the columns as they were meant, which entries the spec leaves out, and the file if not
    `a.root`.
    """

    columns: Columns
    out: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(N, dtype=bool))
    name: str = "a.root"


@dataclass(frozen=True)
class Handled:
    """An input that is scored; `make` writes it into the folder."""

    name: str
    make: Callable[[Path], Written]
    keys: Columns = field(default_factory=dict)


@dataclass(frozen=True)
class Refused:
    """An input that is not; the error has all of `words`."""

    name: str
    make: Callable[[Path], Any]
    words: tuple[str, ...]
    keys: Columns = field(default_factory=dict)


def as_they_are(pieces: int = 1) -> Callable[[Path], Written]:
    def make(folder: Path) -> Written:
        columns = events()
        write(folder / "a.root", columns, pieces=pieces)
        return Written(columns)

    return make


def left_out(condition: Callable[[Columns], Any]) -> Callable[[Path], Written]:
    """Good events of which the spec leaves some out."""

    def make(folder: Path) -> Written:
        columns = events()
        write(folder / "a.root", columns)
        return Written(columns, ak.to_numpy(condition(columns)))

    return make


def same(columns: Columns) -> Columns:
    return columns


def stored(
    change: Callable[[Columns], Columns], meant: Callable[[Columns], Columns] = same
) -> Callable[[Path], Written]:
    """Events that stand in the file otherwise than they are meant."""

    def make(folder: Path) -> Written:
        columns = meant(events())
        write(folder / "a.root", columns | change(columns))
        return Written(columns)

    return make


def bad_entries(name: str, value: Any, entries: tuple[int, ...]) -> Callable[[Path], Written]:
    """Numbers that are none in some entries."""

    def make(folder: Path) -> Written:
        columns = broken = events()
        for entry in entries:
            broken = changed(broken, name, entry, [value] * len(columns[name][entry]))
        write(folder / "a.root", broken)
        return Written(columns, np.isin(np.arange(N), entries))

    return make


def with_empty_events(columns: Columns) -> Columns:
    """Every third event without a jet."""
    keep = ak.local_index(columns["jet_pt"]) >= (ak.local_index(columns["jet_pt"], axis=0) % 3 == 0) * 99
    return columns | {name: columns[name][keep] for name in JET.values()}


def backwards(columns: Columns) -> Columns:
    """Softest jet first."""
    order = ak.argsort(columns["jet_pt"], axis=1)
    return columns | {name: columns[name][order] for name in JET.values()}


def with_a_crowd(columns: Columns) -> Columns:
    """One event of three thousand jets."""
    crowd = np.random.default_rng(2).uniform(0.5, 1.5, 3000)
    for name in JET.values():
        columns = changed(columns, name, 7, crowd.tolist())
    return columns


def without(*names: str) -> Callable[[Path], Written]:
    def make(folder: Path) -> Written:
        columns = events()
        write(folder / "a.root", {name: column for name, column in columns.items() if name not in names})
        return Written(columns)

    return make


def no_entries(folder: Path) -> Written:
    write(folder / "a.root", events(0))
    return Written(events(0), np.zeros(0, dtype=bool))


def two_trees(folder: Path) -> Written:
    """The same events, the first 15 in one tree and the others in another, with a cycle of the first that is older."""
    columns = events()
    with uproot.recreate(folder / "a.root") as file:
        for name, part in (("low/sr", slice(0, 3)), ("low/sr", slice(0, 15)), ("high", slice(15, N))):
            file.mktree(name, types(columns))
            file[name].extend({key: column[part] for key, column in columns.items()})
    return Written(columns)


def an_rntuple(folder: Path) -> Written:
    columns = events()
    with uproot.recreate(folder / "a.root") as file:
        file.mkrntuple("Events", columns)
    return Written(columns)


def a_parquet(folder: Path) -> Written:
    columns = events()
    ak.to_parquet(ak.zip(columns, depth_limit=1), folder / "a.parquet", row_group_size=7, extensionarray=False)
    return Written(columns, name="a.parquet")


def an_odd_name(folder: Path) -> Written:
    columns = events()
    write(folder / "run 1: für[a]*.root", columns)
    return Written(columns, name="run 1: für[a]*.root")


SCORED_ONES = [
    Handled("good events", as_they_are()),
    Handled("many clusters", as_they_are(pieces=9)),
    Handled(
        "events failing the selection",
        left_out(lambda c: ~(ak.sum(c["jet_pt"] > 40, axis=1) >= 2)),
        {"select": "count(jet_pt > 40) >= 2"},
    ),
    Handled("all events failing the selection", left_out(lambda c: c["w"] == 1), {"select": "w > 2"}),
    Handled("no entries", no_entries),
    Handled("events without objects", stored(same, with_empty_events)),
    Handled(
        "objects cut away, some events with none left",
        stored(same, lambda c: c | {name: c[name][c["jet_pt"] > 60] for name in JET.values()}),
        {"nodes": {"jet": {**NODES["jet"], "select": "pt > 60"}}},
    ),
    Handled("NaN, entries dropped", bad_entries("jet_m", np.nan, (0, 3, N - 1)), {"on_nan": "drop"}),
    Handled("infinity, entries dropped", bad_entries("jet_pt", np.inf, (5,)), {"on_nan": "drop"}),
    Handled(
        "NaN, filled",
        stored(
            lambda c: changed(c, "jet_m", 4, [np.nan] * len(c["jet_m"][4])),
            lambda c: changed(c, "jet_m", 4, [1.5] * len(c["jet_m"][4])),
        ),
        {"on_nan": "fill", "fill": 1.5},
    ),
    Handled("no label", without("kind")),
    Handled("no weight", without("w")),
    Handled(
        "neither id, weight nor label", without("event", "w", "kind"), {"id": [{"branch": "event", "optional": True}]}
    ),
    Handled("a class that nobody knows", stored(lambda c: {"kind": c["kind"] + 7})),
    Handled("negative weights", stored(lambda c: {"w": -c["w"]})),
    Handled("NaN in the weight", stored(lambda c: changed(c, "w", 9, np.nan))),
    Handled("events twice", stored(lambda c: {"event": c["event"] // 2})),
    Handled("objects not sorted by pt", stored(same, backwards)),
    Handled("an event of 3,000 objects", stored(same, with_a_crowd)),
    Handled(
        "MeV",
        stored(lambda c: {name: c[name] * np.float32(1000) for name in ("jet_pt", "jet_m")}),
        {"nodes": {"jet": {**NODES["jet"], "unit": "MeV"}}},
    ),
    Handled(
        "degrees",
        stored(lambda c: {"jet_phi": c["jet_phi"] * np.float32(180 / np.pi)}),
        {"nodes": {"jet": {"type": 0, "features": {**JET, "phi": {"branch": "jet_phi", "unit": "deg"}}}}},
    ),
    Handled(
        "phi from 0 to 2 pi",
        stored(lambda c: {"jet_phi": ak.where(c["jet_phi"] < 0, c["jet_phi"] + np.float32(2 * np.pi), c["jet_phi"])}),
    ),
    Handled("two trees", two_trees, {"source": {"name": "root", "tree": ["low/sr", "high"]}}),
    Handled("an RNTuple", an_rntuple),
    Handled("parquet", a_parquet, {"source": {"name": "parquet"}}),
    Handled("an odd name", an_odd_name),
]


def entry_of(name: str, entry: int, value: Any) -> Callable[[Path], None]:
    return lambda folder: write(folder / "a.root", changed(events(), name, entry, value))


def cut_in_half(folder: Path) -> None:
    write(folder / "a.root", events(400))
    content = (folder / "a.root").read_bytes()
    (folder / "a.root").write_bytes(content[: len(content) // 2])


def a_broken_basket(folder: Path) -> None:
    """The last basket of one branch overwritten: the file opens, has its entries, and nearly all of them can be
    read.
    """
    path = folder / "a.root"
    write(path, events(400), pieces=4)
    with uproot.open(path) as file:
        branch = file["Events"]["jet_m"]
        assert branch.num_baskets == 4
        start, size = (int(branch.member(name)[3]) for name in ("fBasketSeek", "fBasketBytes"))
    content = bytearray(path.read_bytes())
    content[start + size // 2 : start + size] = bytes(size - size // 2)
    path.write_bytes(content)


REFUSED_ONES = [
    Refused("truncated", cut_in_half, ("truncated",)),
    Refused("a broken basket", a_broken_basket, ("damaged", "branch jet_m", "entries")),
    Refused("no bytes", lambda folder: (folder / "a.root").touch(), ("empty",)),
    Refused(
        "a page in place of the file", lambda folder: (folder / "a.root").write_text("<!DOCTYPE html><html>"), ("HTML",)
    ),
    Refused("a branch missing", without("jet_eta"), ("no branch jet_eta",)),
    Refused("the id missing", without("event"), ("no branch event",)),
    Refused(
        "another tree", lambda folder: write(folder / "a.root", events(), tree="nominal"), ("no tree Events", "nominal")
    ),
    Refused("NaN", entry_of("jet_m", 33, [np.nan]), ("jet_m", "NaN", "entry 33")),
    Refused("a negative pt", entry_of("jet_pt", 12, [-5.0]), ("jet_pt", "negative", "entry 12")),
    Refused("a sentinel for eta", entry_of("jet_eta", 8, [-999.0]), ("jet_eta", "entry 8")),
    Refused("lists of other lengths", entry_of("jet_eta", 7, [0.1] * 9), ("jet_eta", "entry 7")),
    Refused("numbers where lists belong", stored(lambda c: {"jet_m": c["w"]}), ("jet_m", "list")),
    Refused("ids that are no whole numbers", stored(lambda c: {"event": c["event"] + 0.5}), ("event", "entry 0")),
    Refused("a list too short for the selection", as_they_are(), ("jet_pt", "entry"), {"select": "jet_pt[1] > 10"}),
]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A network of two steps on such events."""
    folder = tmp_path_factory.mktemp("trained")
    (folder / "s.yaml").write_text(dump_yaml(spec()))
    write(folder / "train.root", events(400, seed=3))
    overrides = (
        f"data.spec={folder / 's.yaml'}",
        "data.classes={}",
        "data.files=[train.root]",
        "train.max_epochs=1",
        "train.max_steps=2",
        "model={name: deep_sets, dim: 8, coordinates: event}",
    )
    return train("pretrain_multiclass", overrides=overrides, data_dir=folder, run_dir=folder / "run")


@pytest.fixture
def predict(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, leave: Leave
) -> Callable[[Handled | Refused], tuple[int, Any]]:
    """Writes the input of a case and predicts it by the command line: the exit code and what was written."""
    monkeypatch.chdir(tmp_path)

    def of(case: Handled | Refused) -> tuple[int, Any]:
        FOLDER.mkdir()
        made = case.make(FOLDER)
        name = made.name if isinstance(made, Written) else "a.root"
        Path("s.yaml").write_text(dump_yaml(spec(**case.keys)))
        return leave("predict", str(run.folder), str(FOLDER / name), "--spec", "s.yaml", "--out", "out"), made

    return of


def alone(run: Run, columns: Columns) -> NDArray[np.float64]:
    """The probabilities of each event by itself, `(n_event, 2)`, from its numbers and no code that reads files."""
    found = []
    for pt, eta, phi, mass in zip(*(ak.to_list(columns[name]) for name in JET.values()), strict=True):
        p = np.array(pt) * np.cosh(eta)
        rows = (
            np.stack([pt, eta, phi, np.sqrt(p**2 + np.square(mass)), *np.zeros((3, len(pt)))], axis=1)
            if pt
            else np.zeros((0, 7))
        )
        with torch.inference_mode():
            logits = run.objective.logits(Batch.of(torch.tensor(rows, dtype=torch.float32), torch.tensor([len(pt)])))
        found.append(torch.softmax(logits.double(), dim=1)[0].numpy())
    return np.array(found).reshape(-1, 2)


def n_row(path: Path, keys: Columns) -> list[int]:
    """Entries of each tree of an input, as uproot or pyarrow counts them."""
    if path.suffix == ".parquet":
        return [pq.read_metadata(path).num_rows]
    tree = keys.get("source", {}).get("tree", "Events")
    with uproot.open({str(path): None}) as file:
        return [file[name].num_entries for name in ([tree] if isinstance(tree, str) else tree)]


def test_there_are_enough_of_them() -> None:
    names = [*(case.name for case in SCORED_ONES), *(case.name for case in REFUSED_ONES)]
    assert len(SCORED_ONES) >= 20 and len(REFUSED_ONES) >= 10 and len(set(names)) == len(names)


@pytest.mark.parametrize("case", SCORED_ONES, ids=lambda case: case.name.replace(" ", "_"))
def test_every_entry_has_its_row(case: Handled, run: Run, predict: Callable[[Any], tuple[int, Written]]) -> None:
    code, written = predict(case)
    assert code == 0
    assert [path.name for path in Path("out").iterdir()] == [f"{Path(written.name).stem}.scores.root"]
    with uproot.open({str(next(Path("out").iterdir())): None}) as file:
        trees = [file[name].arrays(library="np") for name in file.keys(cycle=False) if name != "root_gnn"]
    counts = n_row(FOLDER / written.name, case.keys)
    assert [len(tree["status"]) for tree in trees] == counts and sum(counts) == len(written.out)
    status, *scores = (
        np.concatenate([tree[name] for tree in trees]) for name in ("status", "score_first", "score_second")
    )
    assert np.array_equal(status, np.where(written.out, LEFT_OUT, SCORED))
    assert all(np.array_equal(np.isnan(values), written.out) for values in scores)
    expected = alone(run, written.columns)[~written.out]
    np.testing.assert_allclose(np.stack(scores, axis=1)[~written.out], expected, atol=2e-6, rtol=0)
    assert len(expected) < 2 or expected.std(axis=0).min() > 1e-5, "all events score alike, so their order is not seen"


def test_every_jet_of_an_entry_has_its_place(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, leave: Leave
) -> None:
    """Entries of no, one or two jets of which the soft ones are left out; what is inside them is shared out by
    turns.
    """
    monkeypatch.chdir(tmp_path)
    columns = events()
    place, n_jet = ak.local_index(columns["jet_pt"]), np.arange(N) % 3
    row = ak.values_astype(place % np.maximum(n_jet, 1), np.int32)[n_jet > np.zeros_like(place)]
    jets = ak.unflatten(np.random.default_rng(4).uniform(100, 900, n_jet.sum()).astype(np.float32), n_jet)
    item = ak.values_astype(place[n_jet > np.zeros_like(place)], np.int32)
    write(Path("a.root"), columns | {"large_pt": jets, "row": row, "item": item})
    nodes = {"jet": {**NODES["jet"], "members": {"row": "row", "item": "item"}}}
    Path("s.yaml").write_text(dump_yaml(spec(graph_per="large_pt", select="large_pt > 300", nodes=nodes)))
    assert leave("predict", str(run.folder), "a.root", "--spec", "s.yaml", "--out", "out") == 0
    with uproot.open("out/a.scores.root") as file:
        scores = file["scores"].arrays()
    out = ak.to_numpy(ak.flatten(jets <= 300))
    assert ak.num(scores["status"]).tolist() == n_jet.tolist() and 0 < out.sum() < len(out)
    status, score = ak.to_numpy(ak.flatten(scores["status"])), ak.to_numpy(ak.flatten(scores["score_first"]))
    assert np.array_equal(status, np.where(out, LEFT_OUT, SCORED)) and np.array_equal(np.isnan(score), out)
    inside = {
        name: ak.Array(
            [
                ak.to_list(columns[name][entry][place[entry] % n_jet[entry] == k])
                for entry in range(N)
                for k in range(n_jet[entry])
            ]
        )
        for name in JET.values()
    }
    np.testing.assert_allclose(score[~out], alone(run, inside)[~out, 0], atol=2e-6, rtol=0)


@pytest.mark.parametrize("case", REFUSED_ONES, ids=lambda case: case.name.replace(" ", "_"))
def test_what_cannot_be_read_is_named_and_leaves_nothing(
    case: Refused, predict: Callable[[Any], tuple[int, Any]], capfd: pytest.CaptureFixture[str]
) -> None:
    code, _ = predict(case)
    error = capfd.readouterr().err
    assert code == 2, error
    assert all(word in error for word in ("a.root", *case.words)), error
    assert "Traceback" not in error and "\n\n" not in error.strip()
    assert not list(Path("out").rglob("*")) and [path.name for path in FOLDER.iterdir()] == ["a.root"]
