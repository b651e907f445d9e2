"""Rows of `study.parquet`."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq

from root_gnn.study.execution.training import Training
from root_gnn.study.rows import of_test, row, schema, write_rows


def test_a_failed_training_has_its_reason_and_nulls(tmp_path: Path) -> None:
    failed = row(Training("r", "configs/tasks/WHvsZH.yaml", mode="frozen", train_events=5), None, failure="no memory")
    assert (failed["task"], failed["mode"], failed["failure"], failed["auc"]) == ("WHvsZH", "frozen", "no memory", None)
    write_rows(tmp_path / "s.parquet", [failed])
    assert pq.read_table(tmp_path / "s.parquet").to_pylist() == [failed] and list(failed) == schema().names


def test_columns_of_a_split_follow_the_metrics() -> None:
    rejection = {"0.3": {"value": 4.0, "error": 1.0, "low": 3.0, "high": None}}
    columns = of_test({"auc": 0.7, "n_events": 9, "rejection": rejection, "significance": {"max": 2.0}})
    assert (columns["auc"], columns["n_test"], columns["significance"]) == (0.7, 9, 2.0)
    assert (columns["rejection_30_low"], columns["rejection_30_high"], columns["rejection_50"]) == (3.0, None, None)
