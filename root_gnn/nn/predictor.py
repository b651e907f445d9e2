"""A small transformer that predicts something about masked nodes from the visible ones and the masked positions."""

from __future__ import annotations

from typing import Annotated, Self

import torch
from pydantic import Field, model_validator
from torch import Tensor, nn

from root_gnn.config.section import Section
from root_gnn.graph.batch import Batch
from root_gnn.graph.segment import segment_place, segment_start
from root_gnn.nn.attention import Block, block_states
from root_gnn.nn.buckets import Buckets

Count = Annotated[int, Field(ge=1)]

BUCKET_NODES = 1024


class PredictorConfig(Section):
    """The predictor's size: narrower than the encoder, or it would do the encoder's work.

    `n_scale` is the number of frequencies of the positional encoding of angles.
    """

    width: Count = 64
    depth: Count = 2
    n_head: Count = 4
    n_scale: Count = 6

    @model_validator(mode="after")
    def _divides(self) -> Self:
        if self.width % self.n_head:
            raise ValueError(f"width {self.width} is not a multiple of n_head {self.n_head}")
        return self


class Predictor(nn.Module):
    """A transformer over the global of a graph, its visible nodes, and one query for each masked node.

    Args:
        dim: width of the representations.
        n_place: width of the positional encoding of a visible node.
        n_question: width of a query.
        width: width of the tokens.
        depth: number of blocks.
        n_head: number of attention heads.
        n_output: width of the prediction for each query.
    """

    def __init__(
        self, dim: int, *, n_place: int, n_question: int, width: int, depth: int, n_head: int, n_output: int
    ) -> None:
        super().__init__()
        self.read_global = nn.Linear(dim, width)
        self.read_known = nn.Linear(dim + n_place, width)
        self.read_question = nn.Linear(n_question, width)
        # every query contains the global, so that the loss trains the global and not the nodes alone
        self.hint = nn.Linear(dim, width)
        self.blocks = nn.ModuleList(Block(width, n_head, scaled=False) for _ in range(depth))
        self.norm = nn.LayerNorm(width)
        self.answer = nn.Linear(width, n_output)

    def forward(self, encoded: Batch, known_places: Tensor, asked: Batch) -> Tensor:
        """Predictions `(total_asked, n_output)`.

        Args:
            encoded: representations of the visible nodes and of the graphs.
            known_places: positional encodings of the visible nodes, `(total_known, n_place)`.
            asked: the queries of each graph, `nodes (total_asked, n_question)`.
        """
        known = self.read_known(torch.cat([encoded.nodes, known_places.to(encoded.nodes.dtype)], dim=1))
        questions = (
            self.read_question(asked.nodes.to(encoded.nodes.dtype)) + self.hint(encoded.globals)[asked.graph_index]
        )
        n_token = 1 + encoded.n_node + asked.n_node
        first = segment_start(n_token)
        of_known = (first + 1)[encoded.graph_index] + segment_place(encoded.graph_index, encoded.n_node)
        of_asked = (first + 1 + encoded.n_node)[asked.graph_index] + segment_place(asked.graph_index, asked.n_node)
        rows = torch.cat([self.read_global(encoded.globals), known, questions])
        tokens = torch.empty_like(rows).index_put((torch.cat([first, of_known, of_asked]),), rows)
        buckets = Buckets.of(n_token, torch.repeat_interleave(n_token, output_size=len(tokens)), BUCKET_NODES)
        padded = zip(buckets.parts, buckets.pad(tokens), strict=True)
        states = buckets.flat(
            [block_states(self.blocks, part, bucket.mask[:, None, None, :])[-1] for bucket, part in padded]
        )
        answers: Tensor = self.answer(self.norm(states[of_asked]))
        return answers
