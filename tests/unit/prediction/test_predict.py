"""One run scores one file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from root_gnn.errors import InputError
from root_gnn.prediction.predict import predict
from root_gnn.runs.run import Run


def test_scores_are_probabilities_for_every_entry_and_are_not_made_twice(
    seeds: list[Run], ntuples: Path, tmp_path: Path
) -> None:
    (path,) = predict(seeds[0], [ntuples / "WH.root"], out=tmp_path, form="parquet")
    table = pq.read_table(path).to_pydict()
    scored = np.array(table["status"]) == 0
    total = np.array(table["score_WH"]) + np.array(table["score_ZH"])
    np.testing.assert_allclose(total[scored], 1.0, atol=1e-6)
    written = path.stat().st_mtime_ns
    assert predict(seeds[0], [ntuples / "WH.root"], out=tmp_path, form="parquet") == [path]
    assert path.stat().st_mtime_ns == written
    with pytest.raises(InputError, match="was written with another runs"):
        predict(seeds[1], [ntuples / "WH.root"], out=tmp_path, form="parquet")


def test_a_part_that_is_none_is_refused(seeds: list[Run], ntuples: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="K/N was expected"):
        predict(seeds[0], [ntuples / "WH.root"], out=tmp_path, part="3/2")
