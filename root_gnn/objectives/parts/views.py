"""Augmented copies of a batch, as the recipe's `views` say: one chain of augmentations each."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import Tensor

from root_gnn.config.plugins import Family
from root_gnn.graph.batch import Batch, concatenate
from root_gnn.graph.features import Features
from root_gnn.graph.random_stream import RandomStream
from root_gnn.protocols import Augmentation, AugmentationConfig, Encoder

Chain = tuple[Annotated[AugmentationConfig, Family("augmentations")], ...]
TwoChains = Annotated[tuple[Chain, ...], Field(min_length=2, max_length=2)]


Pairs = Literal["views", "resimulation"]


class Views:
    """Two chains of augmentations; each view draws numbers of its own.

    With `paired` the second chain is for the second half of a batch, which holds the partners of the first.
    """

    def __init__(
        self, chains: Sequence[Sequence[AugmentationConfig]], features: Features, *, paired: bool = False
    ) -> None:
        self.paired = paired
        self.chains: list[list[Augmentation]] = [[config.build(features) for config in chain] for chain in chains]

    def __call__(self, batch: Batch, draws: RandomStream) -> list[Batch]:
        """One batch per chain; the input is left as it is."""
        views = []
        for number, chain in enumerate(self.chains):
            view = _half(batch, number) if self.paired else batch
            for place, augmentation in enumerate(chain):
                view = augmentation(view, dataclasses.replace(draws, view=number, place=draws.place + place))
            views.append(view)
        return views


def _half(batch: Batch, number: int) -> Batch:
    n = batch.n_graph // 2
    return batch.select(torch.arange(number * n, (number + 1) * n, device=batch.n_node.device))


def encoded(encoder: Encoder, views: Sequence[Batch]) -> list[Tensor]:
    """What the encoder makes of each view's graphs, `(n_graph, dim)`, in one pass over all of them."""
    return list(encoder(concatenate(views)).globals.split([view.n_graph for view in views]))
