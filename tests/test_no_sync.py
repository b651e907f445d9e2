"""No step of training may wait for the device: what makes the host wait is found in the source, for there may be no GPU
to try.

Reading a tensor's value (`item`, `tolist`, `int(...)`), or making one whose size depends on values (`nonzero`,
`repeat_interleave` without `output_size`), stops the host until the device has caught up. Where that cannot be avoided
it happens once a batch, and is listed here with its reason. Indexing by a mask waits as well, and no text tells a mask
from an index: where there is a GPU, the last test asks the device itself.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch.nn.functional import cross_entropy

import root_gnn
from root_gnn.graph.batch import Batch
from root_gnn.graph.features import Features
from root_gnn.graph.scaling import Scaling
from root_gnn.models.encode_process_decode import Config

PACKAGE = Path(root_gnn.__file__).parent
ROOMS = ("protocols.py", "graph", "nn", "models", "heads", "objectives", "augmentations", "kinematics")
WAITING = {
    "item",
    "tolist",
    "cpu",
    "numpy",
    "nonzero",
    "argwhere",
    "unique",
    "unique_consecutive",
    "masked_select",
    "bincount",
    "equal",
}
CASTS = {"int", "float", "bool"}
REDUCTIONS = {"sum", "max", "min", "any", "all", "mean", "amax", "amin"}
CHECKED, EXCHANGED = (
    "a check of a batch, made by tests and by users",
    "batches from and for other libraries, outside of training",
)
BUCKETS, CLUSTERED = (
    "sizes of a transformer's buckets, once a batch",
    "clustering is FastJet's, on the host, once a batch",
)
KNOWN = {
    "graph/batch.py:Batch.select": "batches are selected on the host",
    "graph/batch.py:Batch.check": CHECKED,
    "graph/batch.py:Batch._check_edges": CHECKED,
    "graph/edges.py:n_complete_edge": "where a batch is made of another in a step: a view, the known nodes, subjets",
    "graph/static.py:_most": "before training",
    "graph/exchange.py:batch_of": EXCHANGED,
    "graph/exchange.py:_are_all_pairs": EXCHANGED,
    "graph/pyg.py:_bounds": EXCHANGED,
    "nn/attention.py:Block._scaled": "a plain number of repeats: nothing is read",
    "nn/buckets.py:Buckets.of": BUCKETS,
    "nn/buckets.py:_size": "where a network is exported only",
    "nn/codebook.py:Codebook.fit": "before training",
    "nn/codebook.py:_far_apart": "before training",
    "nn/distributed.py:gathered": "how many graphs each process has, once a batch, with more than one process only",
    "nn/subjets.py:Subjets.of": "how many subjets there are, once a batch",
    "nn/subjets.py:ClusteredSubjets.__call__": CLUSTERED,
    "heads/deep_sets.py:events_of": "how many events the jets of a batch are of, once a batch",
    "protocols.py:Supervised.valid_outputs": "the number of valid outputs, only with a head for whole events",
    "objectives/parts/tokens.py:SubjetTokens.__call__": CLUSTERED,
    "augmentations/collinear_split.py:CollinearSplit.__call__": "how many nodes there will be, once a view",
    "augmentations/subgraph_subjets.py:SubgraphSubjets.clustered": CLUSTERED,
}


def found() -> Iterator[tuple[str, int, str]]:
    """`graph/batch.py:Batch.of`, the line, and the call that waits, for every one in the rooms (folders or files) of a
    step.
    """
    for room in ROOMS:
        for file in sorted((PACKAGE / room).rglob("*.py")) or [PACKAGE / room]:
            tree = ast.parse(file.read_text(encoding="utf-8"))
            for scope, node in calls(tree, ""):
                if waits(node):
                    yield f"{file.relative_to(PACKAGE).as_posix()}:{scope}", node.lineno, ast.unparse(node)


def calls(node: ast.AST, scope: str) -> Iterator[tuple[str, ast.Call]]:
    """Every call with the dotted name of the function it stands in."""
    for child in ast.iter_child_nodes(node):
        inner = scope
        if isinstance(child, ast.FunctionDef | ast.ClassDef):
            inner = f"{scope}.{child.name}".lstrip(".")
        if isinstance(child, ast.Call):
            yield scope, child
        yield from calls(child, inner)


def waits(call: ast.Call) -> bool:
    """Whether a call reads values of a tensor, as far as its text tells."""
    if isinstance(call.func, ast.Name) and call.func.id in CASTS and call.args:
        return any(isinstance(node, ast.Attribute) and node.attr in REDUCTIONS for node in ast.walk(call.args[0]))
    if not isinstance(call.func, ast.Attribute):
        return False
    if call.func.attr == "repeat_interleave":  # how many rows there will be
        return not any(keyword.arg == "output_size" for keyword in call.keywords)
    return call.func.attr in WAITING


def test_no_step_waits_for_the_device() -> None:
    wrong = [f"{place} (line {line}): {text}" for place, line, text in found() if place not in KNOWN]
    assert not wrong, "\n".join(wrong)


def test_what_is_excused_is_there() -> None:
    assert set(KNOWN) <= {place for place, _, _ in found()}


@pytest.mark.gpu
def test_the_device_says_so_too() -> None:
    counts = torch.tensor([5, 2, 9, 1])
    batch = Batch.of(torch.rand(17, 7), counts, labels={"label": torch.tensor([0, 1, 1, 0])}).to("cuda")
    network = Config(dim=16).build(Features(), Scaling()).cuda()
    optimizer = torch.optim.AdamW(network.parameters(), fused=True)
    for mode in ("default", "error"):  # the first step allocates and chooses kernels
        torch.cuda.set_sync_debug_mode(mode)
        try:
            cross_entropy(network(batch).globals, batch.labels["label"]).backward()
            optimizer.step()
            optimizer.zero_grad()
        finally:
            torch.cuda.set_sync_debug_mode("default")
