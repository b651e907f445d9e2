"""Predictions of a run are read back as they were written, and only comparable ones are compared."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from root_gnn.analysis.predictions import check_same_events, predictions_in, read_predictions
from root_gnn.errors import InputError
from root_gnn.runs.run import Run


def write(folder: Path, **columns: list[float]) -> Path:
    (folder / "predictions").mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(columns), folder / "predictions" / "test.parquet")
    return folder


def test_two_classes_have_one_score_and_three_have_three(tmp_path: Path) -> None:
    events = {"number": [5, 6], "weight": [1.0, -1.0], "label": [1, 0]}
    two = predictions_in(write(tmp_path / "two", **events, score_b=[0.25, 0.5], score_s=[0.75, 0.5]), ["number"])
    assert two.classes == ("b", "s") and two.scores.tolist() == [0.75, 0.5]
    np.testing.assert_array_equal(two.probabilities, [[0.25, 0.75], [0.5, 0.5]])
    assert two.ids.tolist() == [[5], [6]] and two.weight.tolist() == [1.0, -1.0]
    scores = {f"score_{name}": [0.5, 0.25] for name in "abc"}
    three = predictions_in(write(tmp_path / "three", **events, **scores), ["number"])
    assert three.scores.shape == (2, 3) and three.probabilities is three.scores


def test_what_cannot_be_compared_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"has no predictions/test\.parquet"):
        predictions_in(tmp_path, ["number"])
    with pytest.raises(InputError, match="no column label"):
        predictions_in(write(tmp_path / "a", number=[1], weight=[1.0], score_a=[1.0], score_b=[0.0]), ["number"])
    with pytest.raises(InputError, match="lacks the id column run"):
        predictions_in(write(tmp_path / "b", weight=[1.0], label=[0], score_a=[1.0], score_b=[0.0]), ["run"])


def test_runs_on_other_events_are_refused_with_the_row(seeds: list[Run]) -> None:
    found = read_predictions(seeds[0])
    check_same_events([found, read_predictions(seeds[1])])
    weight = found.weight.copy()
    weight[2] += 1.0
    with pytest.raises(InputError, match="differ in their weight, first in row 2"):
        check_same_events([found, replace(found, weight=weight)])
    with pytest.raises(InputError, match="only runs on one task"):
        check_same_events([found, replace(found, classes=("other", "classes"))])
    fewer = replace(found, **{name: getattr(found, name)[1:] for name in ("ids", "label", "weight", "scores")})
    with pytest.raises(InputError, match="was tested on"):
        check_same_events([found, fewer])
