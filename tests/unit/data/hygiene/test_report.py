"""The report on prepared files: figures, remarks, and what stops."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from root_gnn.data.cache.shard import Shard
from root_gnn.data.hygiene.report import FileSet, WeightSummary, examine, refuse
from root_gnn.data.hygiene.text import as_text
from root_gnn.data.spec.spec import Spec, load_spec
from root_gnn.errors import InputError

MakeShard = Callable[..., Shard]


@pytest.fixture
def spec(small_spec: dict[str, Any]) -> Spec:
    return load_spec(small_spec)


def keeping(spec: Spec) -> Spec:
    return spec.model_copy(update={"on_duplicate": "keep"})


def numbered(first: int, n: int) -> list[list[int]]:
    return [[1, number] for number in range(first, first + n)]


def test_weights_by_hand() -> None:
    found = WeightSummary.of(np.array([2.0, -1.0, 0.0, 3.0]))
    assert (found.n, found.total, found.n_negative, found.n_zero) == (4, 4.0, 1, 1)
    assert found.effective == pytest.approx(16.0 / 14.0)
    assert WeightSummary.of(np.zeros(0)).effective == 0.0


def test_a_clean_selection_has_nothing_to_say(make_shard: MakeShard, spec: Spec) -> None:
    files = {
        Path("d/a.root"): make_shard(spec, "a", [2, 1], numbered(0, 2)),
        Path("d/b.root"): make_shard(spec, "b", [3], numbered(2, 1)),
    }
    report = examine(FileSet(files, spec, classes=("x", "y"), file_class=[0, 1]))
    assert (report.remarks, report.problems, report.skipped) == ((), (), {})
    assert [(file.path, file.classes, file.n_graph, file.remarks) for file in report.files] == [
        ("d/a.root", ("x",), 2, ()),
        ("d/b.root", ("y",), 1, ()),
    ]
    assert {name: weights.n for name, weights in report.classes.items()} == {"x": 2, "y": 1}
    assert as_text(report).splitlines() == [
        "2 files, spec small: 3 entries read, 3 graphs kept",
        "",
        "file    class  read  kept  dropped  empty  largest  sum of weights  negative  effective",
        "a.root  x         2     2  \N{EN DASH}            0        0               2     0.0 %          2",
        "b.root  y         1     1  \N{EN DASH}            0        0               1     0.0 %          1",
        "",
        "class  kept  sum of weights  negative  effective",
        "x         2               2     0.0 %          2",
        "y         1               1     0.0 %          1",
    ]
    assert json.loads(json.dumps(report.as_mapping(), allow_nan=False))["files"][0]["n_graph"] == 2


def test_duplicates_within_a_class_stop(make_shard: MakeShard, spec: Spec) -> None:
    files = {
        Path("a.root"): make_shard(spec, "a", [2, 1], numbered(7, 2)),
        Path("b.root"): make_shard(spec, "b", [1, 3], numbered(6, 2)),
    }
    message = (
        r"b\.root: entry 1 has the id \(run 1, event 7\) that entry 0 of a\.root has\. "
        r"It is the only .* 4, .*`on_duplicate: keep`"
    )
    with pytest.raises(InputError, match=message):
        refuse(FileSet(files, spec, classes=("x",), file_class=[0, 0]))
    refuse(FileSet(files, keeping(spec), classes=("x",), file_class=[0, 0]))
    refuse(FileSet(files, spec, classes=("x", "y"), file_class=[0, 1]))
    kept = examine(FileSet(files, keeping(spec), classes=("x",), file_class=[0, 0]))
    assert not kept.problems
    assert kept.remarks[0].endswith("They are kept (on_duplicate: keep).")
    across = examine(FileSet(files, spec, classes=("x", "y"), file_class=[0, 1]))
    assert not across.problems
    assert across.remarks[0].startswith("event ids that stand in several classes: 1. For example: b.root: entry 1")
    with pytest.raises(InputError, match="event 7"):
        examine(FileSet(files, spec, classes=("x",), file_class=[0, 0])).check()


def test_labels_within_a_file_are_classes_of_their_own(make_shard: MakeShard, small_spec: dict[str, Any]) -> None:
    spec = load_spec({**small_spec, "label": {"branch": "kind", "classes": {"x": 0, "y": 1}}})
    shard = make_shard(
        spec, "a", [1, 1, 1], [[1, 5], [1, 5], [1, 6]], label=np.array([0, 1, -1]), weight=[1.0, 2.0, 4.0]
    )
    report = examine(FileSet({Path("a.root"): shard}, spec, classes=("x", "y")))
    assert not report.problems
    assert {name: weights.total for name, weights in report.classes.items()} == {
        "x": 1.0,
        "y": 2.0,
        "without class": 4.0,
    }
    assert report.files[0].classes == ("x", "y")
    same = make_shard(spec, "b", [1, 1], [[1, 5], [1, 5]], label=np.array([1, 1]))
    assert len(FileSet({Path("b.root"): same}, spec, classes=("x", "y")).problems()) == 1


def test_files_without_class_stop_at_copies_only(make_shard: MakeShard, spec: Spec) -> None:
    one, other = make_shard(spec, "a", [2, 1], numbered(0, 2)), make_shard(spec, "b", [1, 3], numbered(0, 2))
    alike = {Path("a.root"): one, Path("b.root"): other}
    refuse(FileSet(alike, spec))
    assert "Their objects differ" in examine(FileSet(alike, spec)).remarks[0]
    copied = {Path("a.root"): one, Path("c.root"): one}
    with pytest.raises(
        InputError, match=r"c\.root: .* of a\.root has\. There are 2 such events among 4, with the same objects"
    ):
        refuse(FileSet(copied, spec))
    loose = FileSet(copied, spec, is_one_set=False)  # files of a folder that nobody wants to use together yet
    refuse(loose)
    assert "these are the same events" in examine(loose).remarks[0]


def test_an_event_in_two_splits_is_told(make_shard: MakeShard, small_spec: dict[str, Any]) -> None:
    spec = load_spec({**small_spec, "split": {"branch": "ttv"}, "on_duplicate": "keep"})
    shard = make_shard(spec, "a", [1, 1, 1], [[1, 5], [1, 5], [1, 6]], split=np.array([0, 2, 1], dtype=np.int8))
    assert (
        "events that stand in more than one split (branch ttv): 1"
        in examine(FileSet({Path("a.root"): shard}, spec)).remarks
    )


def test_many_files_are_not_listed_one_by_one(make_shard: MakeShard, spec: Spec) -> None:
    shard, empty = make_shard(spec, "a", [1], [[1, 1]]), make_shard(spec, "e", [0], [[1, 2]])
    files = {Path(f"d/{number}.root"): shard for number in range(50)} | {Path("d/e.root"): empty}
    text = as_text(examine(FileSet(files, keeping(spec)), skipped={Path("d/x.root"): "d/x.root: torn"}))
    assert "and 50 more without remarks" in text
    assert "e.root: 1 graph without nodes, which training leaves out" in text
    assert "skipped: d/x.root: torn" in text
    assert len(text.splitlines()) < 12


def test_samples_of_very_different_energy_are_kept_where_the_spec_says_so(make_shard: MakeShard, spec: Spec) -> None:
    files: dict[Path, Shard] = {}
    for name, median in (("soft", 1.0), ("hard", 1000.0)):
        shard = make_shard(spec, name, [1], [[1, len(files)]])
        low, high = (0.5, 500.0) if name == "hard" else (median, median)
        figures = {"jet.pt": {"n": 50, "min": 0.1, "max": 9e3, "median": median, "median_min": low, "median_max": high}}
        files[Path(f"{name}.root")] = Shard(shard.folder, replace(shard.meta, findings={"columns": figures}))
    refused = FileSet(files, spec).problems()
    assert len(refused) == 2 and all("`on_mixed_units: keep`" in text for text in refused)
    with pytest.raises(InputError, match=r"hard\.root: the median pt of jet is 0.5 GeV in one part"):
        refuse(FileSet(files, spec))
    accepted = FileSet(files, spec.model_copy(update={"on_mixed_units": "keep"}))
    refuse(accepted)
    remarks = examine(accepted).remarks
    assert len(remarks) == 2 and all(text.endswith("They are kept (on_mixed_units: keep).") for text in remarks)
