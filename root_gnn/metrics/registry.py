"""The metrics there are: the files of `root_gnn/metrics/reported/`."""

from __future__ import annotations

from root_gnn.config.plugins import Allowed, config_class, names
from root_gnn.errors import InputError
from root_gnn.metrics.metric import Metric

FAMILY = "metrics.reported"


def reported_metrics() -> tuple[Metric, ...]:
    """All metrics in their order; raises InputError for a file whose `Config` is no `Metric`."""
    metrics = [_metric(name) for name in names(FAMILY)]
    return tuple(sorted(metrics, key=lambda metric: (metric.order, metric.name)))


def _metric(name: str) -> Metric:
    config = config_class(FAMILY, name, Allowed())
    if not issubclass(config, Metric):
        raise InputError(f"the class Config of root_gnn.{FAMILY}.{name} must be a root_gnn.metrics.metric.Metric")
    return config()
