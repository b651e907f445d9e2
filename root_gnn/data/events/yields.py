"""How many events a unit of weight stands for: cross section x luminosity over the sum of weights of the whole sample."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from root_gnn.data.cache.shard import Shard
from root_gnn.errors import InputError

PB_PER_FB = 1e3  # one inverse femtobarn is a thousand inverse picobarns


class SampleYield:
    """The files of one process: they share a cross section, and their weights add up to it.

    Args:
        shards: the files.
        given: cross section in pb where the files do not tell theirs, from the recipe.
    """

    def __init__(self, shards: Sequence[Shard], given: float | None) -> None:
        self.shards = shards
        self.facts = [shard.meta.metadata for shard in shards]
        told = [shard for shard, fact in zip(shards, self.facts, strict=True) if fact.get("cross_section")]
        if given is not None and told:
            raise InputError(
                f"data.cross_sections gives {given:g} pb to {_names(told)}, and the file itself says "
                f"{float(told[0].meta.metadata['cross_section']):g} pb. Leave its class out of data.cross_sections."
            )
        self.given = given
        self.is_known = given is not None or len(told) == len(shards)

    @property
    def kept(self) -> float:
        """Sum of weights of all events that were kept, of every split."""
        return self._positive(sum(shard.meta.sum_of_weights for shard in self.shards))

    def per_weight(self) -> float:
        """Cross section in pb for a unit of weight.

        Where every file tells the `sum_of_weights` of what it was skimmed from, that is what the cross section belongs to; else
        the sum over the entries of the file, before the spec's selection, with the cross section after the preselection that
        `n_tried` and `n_kept` tell of.
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
        """What weights of a part of the events are multiplied with, so that it stands for all: `total` is the part's sum."""
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
    """Expected yields of events with `weight (n,)` in the shards `shard_of (n,)`; None where a cross section is unknown.

    `processes` are the places of the shards of each; with `is_split` the events of a process stand for all of it.
    """
    if not all(process.is_known for _, process in processes):
        return None
    n_shard = 1 + max((place for members, _ in processes for place in members), default=0)
    total = np.bincount(shard_of, weights=weight, minlength=n_shard)
    here = np.bincount(shard_of, minlength=n_shard) > 0
    factor = np.zeros(n_shard)
    for members, process in processes:
        if here[members].any():
            scale = process.split(float(total[members].sum())) if is_split else 1.0
            factor[members] = lumi * PB_PER_FB * process.per_weight() * scale
    return np.asarray(weight * factor[shard_of], dtype=np.float64)


def _names(shards: Sequence[Shard]) -> str:
    names = [str(shard.meta.source["name"]) for shard in shards]
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
