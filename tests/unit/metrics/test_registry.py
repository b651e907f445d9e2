"""The metrics there are."""

from __future__ import annotations

from root_gnn.metrics.registry import reported_metrics


def test_they_come_in_order_with_the_names_of_their_files() -> None:
    metrics = reported_metrics()
    names = [metric.name for metric in metrics]
    assert names == ["auc", "accuracy", "loss", "rejection", "significance"]
    assert [metric.order for metric in metrics] == sorted(metric.order for metric in metrics)


def test_no_two_share_a_column_or_a_head() -> None:
    columns = [column for metric in reported_metrics() for column in metric.columns({})]
    heads = [head for metric in reported_metrics() for head in metric.cells({})]
    assert len(set(columns)) == len(columns) and len(set(heads)) == len(heads)
