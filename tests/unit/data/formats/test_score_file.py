"""Files of scores are told from data by name and note."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import uproot

from root_gnn.data.events.config import find_files
from root_gnn.data.formats.score_file import NOTE, is_score_file, without_scores


def test_scores_are_left_out_of_patterns_and_data_of_that_name_are_not(tmp_path: Path) -> None:
    columns = {"x": np.arange(3.0)}
    for name in ("a.root", "a.scores.root", "b.scores.root"):
        with uproot.recreate(tmp_path / name) as file:
            file["Events"] = columns
            if name == "a.scores.root":
                file[NOTE] = "{}"
    for name, note in (("a.parquet", None), ("a.scores.parquet", {NOTE: "{}"}), ("b.scores.parquet", None)):
        pq.write_table(pa.table(columns).replace_schema_metadata(note), tmp_path / name)
    (tmp_path / "torn.scores.root").write_bytes(b"root")
    scores = {"a.scores.root", "a.scores.parquet"}
    everything = sorted(tmp_path.iterdir())
    assert {path.name for path in everything if is_score_file(path)} == scores
    assert without_scores(everything) == [path for path in everything if path.name not in scores]
    found = [path.name for path in find_files(("*.root",), tmp_path)]
    assert found == ["a.root", "b.scores.root", "torn.scores.root"]
    assert [path.name for path in find_files(("a.scores.root",), tmp_path)] == ["a.scores.root"]  # named, not matched
