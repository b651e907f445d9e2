"""What a metric is: one file of `root_gnn/metrics/reported/` with a class `Config`, and nothing to add anywhere else.

Every file of that folder fills entries of `metrics.json`, columns of the report and of a study's table and page, and,
where it declares itself quick, a row `val/<name>` of the history of a training. A file needs no more than this:

    class Config(Metric):
        '''Share of the weight of signal events with a score above 0.9.'''

        title: ClassVar[str] = "efficiency at 0.9"

        def measure(self, events: ScoredEvents) -> Measured | None:
            signal = events.labels == 1
            return weighted_share(events.signal_score[signal] > 0.9, events.weights[signal])
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal, NamedTuple

import numpy as np

from root_gnn.config.section import Section
from root_gnn.metrics.formatting import format_number
from root_gnn.metrics.measured import Measured
from root_gnn.typing import AnyIntegers, Floats

Entry = Mapping[str, Any]
"""The entry of one split in `metrics.json`."""


class ScoredEvents(NamedTuple):
    """The events of one split as a network classifies them.

    Attributes:
        probabilities: `(n_event, n_class)`, float64.
        labels: the true class of each event, `(n_event,)`; class 1 is the signal of a task with two classes.
        weights: signed, `(n_event,)`.
        yields: weights scaled to cross section and luminosity, `(n_event,)`; None where either is unknown.
    """

    probabilities: Floats
    labels: AnyIntegers
    weights: Floats
    yields: Floats | None = None

    @property
    def n_class(self) -> int:
        """Number of classes."""
        return int(self.probabilities.shape[1])

    @property
    def signal_score(self) -> Floats:
        """Probability of class 1, `(n_event,)`."""
        return self.probabilities[:, 1]


class Metric(Section, ABC):
    """A figure of one split with its statistical error; the name of the file is its name.

    Attributes:
        title: head of its column on pages.
        order: position among the metrics, the smallest first; metrics of the same order follow each other by name.
        quick_for: objectives for which it is cheap enough to be computed after every epoch of training, by their link:
            `softmax` for exclusive classes, `sigmoid` for several yes-or-no labels (where the mean over labels counts).
        shown_in: pages with a column of it.
        has_error: whether `metrics.json` holds `<name>_error` too.
        has_seed_table: whether the page of a study tabulates it over seeds, with the gain over scratch seed by seed.
        digits: decimals on pages.
        requirement: the end of a sentence of the study page that says why the metric may be undefined everywhere.
    """

    title: ClassVar[str]
    order: ClassVar[int] = 100
    quick_for: ClassVar[tuple[Literal["softmax", "sigmoid"], ...]] = ()
    shown_in: ClassVar[tuple[Literal["report", "study"], ...]] = ("report", "study")
    has_error: ClassVar[bool] = True
    has_seed_table: ClassVar[bool] = True
    digits: ClassVar[int] = 4
    requirement: ClassVar[str] = ""

    @property
    def name(self) -> str:
        """The name of its file."""
        return type(self).__module__.rpartition(".")[2]

    @abstractmethod
    def measure(self, events: ScoredEvents) -> Measured | None:
        """The figure with its error; None where it is not defined for these events."""

    def entry(self, events: ScoredEvents) -> dict[str, Any]:
        """The keys it adds to the entry of a split in `metrics.json`, as plain Python values, None where undefined."""
        measured = self.measure(events)
        value = {self.name: None if measured is None else measured.value}
        return value | {f"{self.name}_error": None if measured is None else measured.error} if self.has_error else value

    def combined(self, entries: Sequence[Entry]) -> dict[str, Any]:
        """The keys for several yes-or-no labels: the mean over the labels for which the metric is defined.

        `entries` holds the entry of each label.

        The error is that of a mean of independent values. Without entries all values are None.
        """
        value = {self.name: mean_of_defined([entry[self.name] for entry in entries])}
        if not self.has_error:
            return value
        errors = [error for entry in entries if (error := entry[f"{self.name}_error"]) is not None]
        mean_error = math.sqrt(float(np.sum(np.square(errors)))) / len(errors) if errors else None
        return value | {f"{self.name}_error": mean_error}

    def value(self, entry: Entry) -> float | None:
        """The one number of a split's entry that is compared between seeds; None where undefined."""
        number: float | None = entry.get(self.name)
        return number

    def columns(self, entry: Entry) -> dict[str, float | None]:
        """Its columns in the table of a study (`study.parquet`) with the numbers of a split's entry."""
        keys = (self.name, f"{self.name}_error") if self.has_error else (self.name,)
        return {key: entry.get(key) for key in keys}

    def cells(self, columns: Mapping[str, float | None]) -> dict[str, str]:
        """Head and text of its cells on pages, from the numbers of `columns`; a dash stands for what is missing."""
        text = format_number(columns.get(self.name), columns.get(f"{self.name}_error"), digits=self.digits)
        return {self.title: text}


def mean_of_defined(values: Sequence[float | None]) -> float | None:
    """The mean of the values that are not None; None where all are."""
    defined = [value for value in values if value is not None]
    return float(np.mean(defined)) if defined else None
