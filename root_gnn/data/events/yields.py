"""Expected yields: cross section x luminosity over the sum of weights of the whole sample."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from root_gnn.data.cache.shard import Shard
from root_gnn.errors import InputError

PB_PER_FB = 1e3  # one inverse femtobarn is a thousand inverse picobarns


class SampleYield:
    """The files of one process: they share a cross section, and their weights add up to it."""

    def __init__(self, shards: Sequence[Shard], given: float | None) -> None:
        """Takes the files, and the cross section in pb from the recipe if the files contain none.

        Raises InputError if both contain one.
        """
        self.shards = shards
        self.facts = [shard.meta.metadata for shard in shards]
        with_own = [shard for shard, fact in zip(shards, self.facts, strict=True) if fact.get("cross_section")]
        if given is not None and with_own:
            raise InputError(
                f"data.cross_sections gives {given:g} pb to {_names(with_own)}, and the file itself says "
                f"{float(with_own[0].meta.metadata['cross_section']):g} pb. Leave its class out of data.cross_sections."
            )
        self.given = given
        self.is_known = given is not None or len(with_own) == len(shards)

    @property
    def kept(self) -> float:
        """Sum of weights of all events in the cache, of every split."""
        return self._positive(sum(shard.meta.sum_of_weights for shard in self.shards))

    def per_weight(self) -> float:
        """Returns the cross section in pb per unit of weight.

        If every file has the `sum_of_weights` of the sample it was skimmed from, the cross section is divided by that;
        otherwise by the sum over the entries of the file, before the spec's selection, after multiplication with the
        efficiency of the preselection, `n_kept / n_tried`.
        """
        if all(fact.get("sum_of_weights") for fact in self.facts):
            sums = np.array([float(fact["sum_of_weights"]) for fact in self.facts])
            return self._cross_section(sums) / self._positive(float(sums.sum()))
        read = self._positive(sum(shard.meta.sum_of_weights_read for shard in self.shards))
        counted = all(fact.get("n_tried") and fact.get("n_kept") is not None for fact in self.facts)
        if not counted:
            return self._cross_section(np.ones(len(self.facts))) / read
        tried = np.array([float(fact["n_tried"]) for fact in self.facts])
        n_kept = np.array([float(fact["n_kept"]) for fact in self.facts])
        return self._cross_section(tried) * float(n_kept.sum() / tried.sum()) / read

    def split(self, total: float) -> float:
        """Returns the factor for weights of some events, whose sum is `total`, such that they represent all events."""
        return self.kept / self._positive(total)

    def _cross_section(self, sizes: NDArray[np.float64]) -> float:
        return (
            self.given
            if self.given is not None
            else float(np.average([float(f["cross_section"]) for f in self.facts], weights=sizes))
        )

    def _positive(self, total: float) -> float:
        if not total > 0:
            raise InputError(
                f"The weights of {_names(self.shards)} add up to {total:g}; expected yields need a positive sum. "
                "Unset data.lumi."
            )
        return total


def expected(
    processes: Sequence[tuple[list[int], SampleYield]],
    *,
    lumi: float,
    weight: NDArray[np.float64],
    shard_of: NDArray[Any],
    is_split: bool,
) -> NDArray[np.float64] | None:
    """Returns the expected yields `(n,)` of events; None if a cross section is unknown.

    Args:
        processes: for each process the indices of its shards, and their yield.
        lumi: integrated luminosity in fb^-1.
        weight: `(n,)`, weights of the events.
        shard_of: `(n,)`, index of the shard of each event.
        is_split: whether the events are only a part, and represent all events of their process.
    """
    if not all(process.is_known for _, process in processes):
        return None
    n_shard = 1 + max((i_shard for members, _ in processes for i_shard in members), default=0)
    sum_of_weights = np.bincount(shard_of, weights=weight, minlength=n_shard)
    is_present = np.bincount(shard_of, minlength=n_shard) > 0
    factor = np.zeros(n_shard)
    for members, process in processes:
        if is_present[members].any():
            scale = process.split(float(sum_of_weights[members].sum())) if is_split else 1.0
            factor[members] = lumi * PB_PER_FB * process.per_weight() * scale
    return np.asarray(weight * factor[shard_of], dtype=np.float64)


def _names(shards: Sequence[Shard]) -> str:
    names = [str(shard.meta.source["name"]) for shard in shards]
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
