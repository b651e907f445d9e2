"""Every encoder and every head in ONNX: the probabilities of PyTorch, for events of any size."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from root_gnn.config.plugins import Allowed, config_class, names
from root_gnn.export.network import Network, Signature
from root_gnn.export.program import traced
from root_gnn.graph.batch import Batch
from root_gnn.graph.features import Features
from root_gnn.graph.scaling import Scaling
from root_gnn.protocols import Question
from root_gnn.testing import TinyEncoder, random_batch

pytest.importorskip("onnxruntime", reason="the extra onnx is not installed")
pytest.importorskip("onnxscript", reason="the extra onnx is not installed")

CLASSES = ("first", "second", "third")
SMALL: dict[str, dict[str, Any]] = {
    "deep_sets": {"dim": 16},
    "edge_conv": {"dim": 16, "n_block": 2, "k": 4},
    "encode_process_decode": {"dim": 16, "n_steps": 2},
    "graph_transformer": {"dim": 16, "n_head": 2, "n_block": 1},
    "particle_transformer": {"dim": 16, "n_head": 2, "n_block": 1, "embedding": (16,), "pair_hidden": (8,)},
    "subjet_transformer": {"dim": 16, "n_head": 2, "n_block": 1},
}
FAST = ("deep_sets", "encode_process_decode")
ENCODERS = [name if name in FAST else pytest.param(name, marks=pytest.mark.slow) for name in names("models") if name != "pyg_module"]
EDGES = [(1,), (0,), (0, 0), (1, 1, 0, 1), (2,), (60,)]


def batch_of(features: Features, sizes: Any, seed: int) -> Batch:
    """Random events; where there is a column of subjets, up to six of them."""
    batch = random_batch(features, sizes, seed=seed)
    if "subjet" in features.nodes:
        number = torch.randint(6, (batch.total_node,), generator=torch.Generator().manual_seed(seed))
        batch.nodes[:, features.column("subjet")] = number.float()
    return batch


def network(encoder: str, head: str = "linear", *, whole_events: bool = False, **keys: Any) -> tuple[Network, Features]:
    """An untrained network of one encoder and one head; the encoder `tiny` is that of the conformance suite."""
    nodes = (*Features().nodes, "subjet") if encoder == "subjet_transformer" else Features().nodes
    features = Features(nodes=nodes, globals=("n_node", "met"))
    scaling = Scaling.fit([batch_of(features, (6,) * 50, 2)], features)
    with torch.random.fork_rng():
        torch.manual_seed(3)
        if encoder == "tiny":
            built = TinyEncoder(features)
        else:
            built = config_class("models", encoder, Allowed()).model_validate(SMALL[encoder]).plain().build(features, scaling)
        section = config_class("objectives", "multiclass", Allowed()).model_validate({"head": {"name": head, **keys}})
        objective = section.build(built, Question(classes=CLASSES, features=features, scaling=scaling))
    signature = Signature(features.nodes, ("met",), whole_events, CLASSES, "softmax", len(CLASSES))
    return Network(objective.eval().requires_grad_(False), features, signature).eval(), features


def probabilities(made: Network, batch: Batch) -> np.ndarray[Any, Any]:
    """What PyTorch says in double precision of the logits."""
    return torch.softmax(made.objective.logits(batch).double(), dim=1).numpy()


@pytest.mark.parametrize("encoder", ENCODERS)
def test_every_encoder_gives_the_same_probabilities_for_a_thousand_events(encoder: str) -> None:
    from root_gnn.export.onnx_file import Session, model_of

    if encoder == "edge_conv":
        pytest.importorskip("torch_geometric")
    made, features = network(encoder)
    example = batch_of(features, (5, 3, 8, 2), 4)
    program = traced(made, made.signature.arguments(example, {}))
    model = model_of(program, made.signature, opset=18, ir_version=8)
    reducing = {node.op_type for node in model.graph.node if any(one.name == "reduction" for one in node.attribute)}
    assert reducing <= {"ScatterElements"}  # onnxruntime's ScatterND lets threads overwrite each other
    session, module = Session(model.SerializeToString()), program.module()
    sizes = np.random.default_rng(5).integers(1, 61, 1000)
    for case in (*EDGES, sizes[:500], sizes[500:]):
        batch = batch_of(features, tuple(int(n) for n in case), 6)
        arguments, expected = made.signature.arguments(batch, {}), probabilities(made, batch)
        np.testing.assert_allclose(session(arguments), expected, atol=1e-5, rtol=0, err_msg=f"{encoder}, sizes {case[:5]}")
    np.testing.assert_allclose(module(**arguments).numpy(), expected, atol=1e-5, rtol=0)
    assert expected.std(axis=0).min() > 1e-4  # events differ, so that agreeing means something


@pytest.mark.parametrize("head", names("heads"))
def test_every_head_gives_the_same_probabilities(head: str) -> None:
    from root_gnn.export.onnx_file import Session, model_of

    made, features = network("tiny", head)
    program = traced(made, made.signature.arguments(batch_of(features, (5, 3, 8, 2), 4), {}))
    session = Session(model_of(program, made.signature, opset=18, ir_version=8).SerializeToString())
    for case in (*EDGES, tuple(range(30))):
        batch = batch_of(features, case, 6)
        np.testing.assert_allclose(session(made.signature.arguments(batch, {})), probabilities(made, batch), atol=1e-5, rtol=0)


def test_jets_of_an_event_are_scored_together() -> None:
    from root_gnn.export.onnx_file import Session, model_of

    made, features = network("tiny", "deep_sets", whole_events=True, over="event")
    batch = batch_of(features, (5, 3, 8, 2, 4), 4)
    event = torch.tensor([7, 7, 3, 9, 3])
    batch = batch.replace(ids=torch.stack([event, torch.arange(5)], dim=1))
    arguments = made.signature.arguments(batch, {})
    session = Session(model_of(traced(made, arguments), made.signature, opset=18, ir_version=8).SerializeToString())
    said = session({**arguments, "event": event})
    np.testing.assert_allclose(said, probabilities(made, batch), atol=1e-5, rtol=0)
    assert np.array_equal(said[0], said[1]) and np.array_equal(said[2], said[4]) and not np.allclose(said[0], said[2])
