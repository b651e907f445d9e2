"""A small transformer that says something about nodes it was not shown, from those it was and from where the others are."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from root_gnn.graph.batch import Batch
from root_gnn.graph.segment import segment_start
from root_gnn.nn.attention import Block


class Predictor(nn.Module):
    """Tokens of a graph: its global, its known nodes, and one for each node that is asked for; all attend to all.

    Args:
        dim: width of the representations; `n_place`, `n_question`: numbers that say where a known node is, and what is asked.
        n_output: numbers answered for each node asked for.
    """

    def __init__(self, dim: int, *, n_place: int, n_question: int, width: int, depth: int, n_head: int, n_output: int) -> None:
        super().__init__()
        self.read_global = nn.Linear(dim, width)
        self.read_known = nn.Linear(dim + n_place, width)
        self.read_question = nn.Linear(n_question, width)
        self.hint = nn.Linear(dim, width)  # the global is in every question, so that the loss trains it and not the nodes alone
        self.blocks = nn.ModuleList(Block(width, n_head, scaled=False) for _ in range(depth))
        self.norm = nn.LayerNorm(width)
        self.answer = nn.Linear(width, n_output)

    def forward(self, encoded: Batch, places: Tensor, asked: Batch) -> Tensor:
        """Answers `(total_asked, n_output)`.

        `encoded` has the representations of the known nodes and graphs, `places (total_known, n_place)` where the former are,
        `asked.nodes (total_asked, n_question)` what is asked of each graph.
        """
        known = self.read_known(torch.cat([encoded.nodes, places.to(encoded.nodes.dtype)], dim=1))
        questions = self.read_question(asked.nodes.to(encoded.nodes.dtype)) + self.hint(encoded.globals)[asked.graph_index]
        block, seen, first = side_by_side(self.read_global(encoded.globals), [(known, encoded), (questions, asked)])
        bias = seen[:, None, None, :]
        for layer in self.blocks:
            block = layer(block, bias=bias)
        rows = asked.graph_index * block.shape[1] + first + positions(asked)
        answers: Tensor = self.answer(self.norm(block.flatten(0, 1)[rows]))
        return answers


def side_by_side(heads: Tensor, parts: Sequence[tuple[Tensor, Batch]]) -> tuple[Tensor, Tensor, int]:
    """One row of tokens per graph: `heads (n_graph, width)` first, then the parts, each padded to its largest graph.

    Returns the tokens `(n_graph, length, width)`, which of them are real, bool `(n_graph, length)`, and where the last part starts.
    Waits for the device to learn the sizes.
    """
    lengths = torch.stack([batch.n_node.max() for _, batch in parts]).tolist()
    blocks, masks, first = [heads.unsqueeze(1)], [torch.ones_like(heads[:, :1], dtype=torch.bool)], 1
    start = first
    for (rows, batch), length in zip(parts, lengths, strict=True):
        start = first
        place = batch.graph_index * length + positions(batch)
        padded = rows.new_zeros(batch.n_graph * length, rows.shape[1]).index_put((place,), rows)
        blocks.append(padded.view(batch.n_graph, length, rows.shape[1]))
        masks.append(torch.arange(length, device=rows.device) < batch.n_node.unsqueeze(1))
        first += length
    return torch.cat(blocks, dim=1), torch.cat(masks, dim=1), start


def positions(batch: Batch) -> Tensor:
    """The place of each node in its graph, from 0: `(total_node,)`."""
    return torch.arange(batch.total_node, device=batch.n_node.device) - segment_start(batch.n_node)[batch.graph_index]
