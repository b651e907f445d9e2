"""Figures as text for tables: a value with its error, and a value with its interval."""

from __future__ import annotations

from root_gnn.metrics.seeds import OverSeeds

UNDEFINED = "\N{EN DASH}"


def format_number(value: float | None, error: float | None = None, *, digits: int = 4) -> str:
    """A figure with its error, or a dash where it is not defined."""
    if value is None:
        return UNDEFINED
    return f"{value:.{digits}f}" if error is None else f"{value:.{digits}f} ± {error:.{digits}f}"


def format_interval(
    value: float | None = None,
    error: float | None = None,
    low: float | None = None,
    high: float | None = None,
) -> str:
    """A value with its 68 % interval `[low, high]`, or with its error where no interval is known.

    The upper end may be open.
    """
    if value is None or low is None:
        return format_number(value, error, digits=2)
    return f"{value:.2f} [{low:.2f}, {'no limit' if high is None else format(high, '.2f')}]"


def format_over_seeds(mean: OverSeeds | None) -> str:
    """A mean over seeds with its error, and how many seeds have a value where not all do."""
    if mean is None:
        return UNDEFINED
    text = format_number(mean.mean, mean.error, digits=3 if abs(mean.mean) < 1.0 else 1)
    return text if mean.n_defined == mean.n_seed else f"{text} ({mean.n_defined} of {mean.n_seed})"
