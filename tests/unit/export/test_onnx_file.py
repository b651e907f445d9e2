"""Every encoder and every head in ONNX: the probabilities of PyTorch, for events of any size."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from root_gnn.config.plugins import Allowed, config_class, names
from root_gnn.errors import InputError
from root_gnn.export.network import Network, Signature
from root_gnn.export.program import traced
from root_gnn.graph.batch import Batch
from root_gnn.graph.features import Features
from root_gnn.graph.scaling import Scaling
from root_gnn.protocols import Question, Supervised
from root_gnn.testing import QUESTION, TinyEncoder, random_batch

pytest.importorskip("onnxruntime", reason="the extra onnx is not installed")
pytest.importorskip("onnxscript", reason="the extra onnx is not installed")

CLASSES = ("first", "second", "third")
SMALL: dict[str, dict[str, Any]] = {
    "deep_sets": {"dim": 16},
    "edge_conv": {"dim": 16, "n_block": 2, "k": 4},
    "encode_process_decode": {"dim": 16, "n_steps": 2},
    "graph_transformer": {"dim": 16, "n_head": 2, "n_block": 1},
    "particle_transformer": {"dim": 16, "n_head": 2, "n_block": 1, "embedding": (16,), "pair_hidden": (8,)},
    "pyg_module": {
        "module": "torch_geometric.nn.GAT",
        "arguments": {"in_channels": 16, "hidden_channels": 16, "num_layers": 2},
        "dim": 16,
    },
    "subjet_transformer": {"dim": 16, "n_head": 2, "n_block": 1},
}
OBJECTIVES: list[dict[str, Any]] = [
    {"name": "multiclass", "head": "mlp", "beside": True},
    {"name": "multilabel", "head": "mlp"},
    {"name": "vicreg", "views": [["rotate_phi"], ["rotate_phi"]]},
]
FAST = ("deep_sets", "encode_process_decode")
ENCODERS = [name if name in FAST else pytest.param(name, marks=pytest.mark.slow) for name in names("models")]
EDGES = [(1,), (0,), (0, 0), (1, 1, 0, 1), (2,), (60,)]
THOUSAND = np.random.default_rng(5).integers(1, 61, 1000).tolist()


def batch_of(features: Features, sizes: Any, seed: int) -> Batch:
    """Random events; where there is a column of subjets, up to six of them."""
    batch = random_batch(features, sizes, seed=seed)
    if "subjet" in features.nodes:
        number = torch.randint(6, (batch.total_node,), generator=torch.Generator().manual_seed(seed))
        batch.nodes[:, features.column("subjet")] = number.float()
    return batch


OWN = """
import torch

class Asks(torch.nn.Module):
    def forward(self, x, edge_index):
        return x * 2 if float(x.sum()) > 0 else x

class Bessel(torch.nn.Module):
    def forward(self, x, edge_index):
        return torch.special.bessel_j0(x)
"""


@pytest.fixture
def own_modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two networks of a user: one whose path depends on the numbers, one with an operator that ONNX lacks."""
    (tmp_path / "networks_to_export.py").write_text(OWN, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)


def network(
    encoder: str,
    head: str = "linear",
    *,
    whole_events: bool = False,
    objective: dict[str, Any] | None = None,
    settings: dict[str, Any] | None = None,
    **keys: Any,
) -> tuple[Network, Features]:
    """An untrained network of one encoder and one head; the encoder `tiny` is that of the conformance suite."""
    nodes = (*Features().nodes, "subjet") if encoder == "subjet_transformer" else Features().nodes
    features = Features(nodes=nodes, globals=("n_node", "met"))
    scaling = Scaling.fit([batch_of(features, (6,) * 50, 2)], features)
    with torch.random.fork_rng():
        torch.manual_seed(3)
        if encoder == "tiny":
            built = TinyEncoder(features)
        else:
            built = (
                config_class("models", encoder, Allowed())  # type: ignore[attr-defined]
                .model_validate(settings or SMALL[encoder])
                .exportable()
                .build(features, scaling)
            )
        wanted = objective or {"name": "multiclass", "head": {"name": head, **keys}}
        section = config_class("objectives", wanted, Allowed()).model_validate(
            {key: wanted[key] for key in wanted if key != "name"}
        )
        trained = section.build(  # type: ignore[attr-defined]
            built, Question(classes=CLASSES, truth=QUESTION.truth, features=features, scaling=scaling)
        )
    signature = Signature(features.nodes, ("met",), whole_events, (), "", built.dim)
    if isinstance(trained, Supervised):
        signature = replace(signature, outputs=trained.outputs(), link=trained.link, dim=len(trained.outputs()))
    return Network(trained.eval().requires_grad_(False), features, signature).eval(), features


def probabilities(made: Network, batch: Batch) -> np.ndarray[Any, Any]:
    """What PyTorch says: probabilities from the logits in double precision, or the representation."""
    if not isinstance(made.objective, Supervised):
        return made.objective.encoder(batch).globals.numpy()
    logits = made.objective.logits(batch).double()
    return (torch.softmax(logits, dim=1) if made.signature.link == "softmax" else torch.sigmoid(logits)).numpy()


@pytest.mark.parametrize("encoder", ENCODERS)
def test_every_encoder_gives_the_same_probabilities_for_a_thousand_events(encoder: str) -> None:
    from root_gnn.export.onnx_file import Session, model_of

    if encoder in ("edge_conv", "pyg_module"):
        pytest.importorskip("torch_geometric")
    made, features = network(encoder)
    example = batch_of(features, (5, 3, 8, 2), 4)
    program = traced(made, made.signature.arguments(example, {}))
    model = model_of(program, made.signature, opset=18, ir_version=8)
    reducing = {node.op_type for node in model.graph.node if any(one.name == "reduction" for one in node.attribute)}
    assert reducing <= {"ScatterElements"}  # onnxruntime's ScatterND lets threads overwrite each other
    assert str(Path(torch.__file__).parent).encode() not in model.SerializeToString()
    assert b'.py"' not in model.SerializeToString()  # no path of this machine, as in 'File "/home/NAME/model.py"'
    session, module = Session(model.SerializeToString()), program.module()
    for case in (*EDGES, THOUSAND[:500], THOUSAND[500:]):
        batch = batch_of(features, case, 6)
        arguments, expected = made.signature.arguments(batch, {}), probabilities(made, batch)
        np.testing.assert_allclose(
            session(arguments), expected, atol=1e-5, rtol=0, err_msg=f"{encoder}, sizes {case[:5]}"
        )
    np.testing.assert_allclose(module(**arguments).numpy(), expected, atol=1e-5, rtol=0)
    assert expected.std(axis=0).min() > 1e-4  # events differ, so that agreeing means something


@pytest.mark.parametrize("head", names("heads"))
def test_every_head_gives_the_same_probabilities(head: str) -> None:
    from root_gnn.export.onnx_file import Session, model_of

    made, features = network("tiny", head)
    program = traced(made, made.signature.arguments(batch_of(features, (5, 3, 8, 2), 4), {}))
    session = Session(model_of(program, made.signature, opset=18, ir_version=8).SerializeToString())
    for case in (*EDGES, THOUSAND):
        batch = batch_of(features, case, 6)
        np.testing.assert_allclose(
            session(made.signature.arguments(batch, {})), probabilities(made, batch), atol=1e-5, rtol=0
        )


@pytest.mark.parametrize("objective", OBJECTIVES, ids=lambda objective: objective["name"])
def test_every_kind_of_answer_is_that_of_pytorch(objective: dict[str, Any]) -> None:
    from root_gnn.export.onnx_file import Session, model_of

    made, features = network("tiny", objective=objective)
    program = traced(made, made.signature.arguments(batch_of(features, (5, 3, 8, 2), 4), {}))
    session = Session(model_of(program, made.signature, opset=18, ir_version=8).SerializeToString())
    for case in (*EDGES, THOUSAND):
        batch = batch_of(features, case, 6)
        expected = probabilities(made, batch)
        assert expected.shape == (len(case), made.signature.dim)
        np.testing.assert_allclose(session(made.signature.arguments(batch, {})), expected, atol=1e-5, rtol=0)


@pytest.mark.pyg
@pytest.mark.usefixtures("own_modules")
def test_a_module_of_ones_own_that_cannot_be_exported_is_refused() -> None:
    from root_gnn.export.onnx_file import model_of

    asks, features = network("pyg_module", settings={"module": "networks_to_export.Asks", "arguments": {}, "dim": 16})
    arguments = asks.signature.arguments(batch_of(features, (5, 3, 8, 2), 4), {})
    with pytest.raises(InputError, match=r"cannot be exported.*but pyg_module, whose layers are somebody else's"):
        traced(asks, arguments)
    bessel, _ = network("pyg_module", settings={"module": "networks_to_export.Bessel", "arguments": {}, "dim": 16})
    program = traced(bessel, arguments)
    with pytest.raises(InputError, match=r"an operator that ONNX lacks.*--out <name>\.pt2"):
        model_of(program, bessel.signature, opset=18, ir_version=8)
    batch = batch_of(features, (60, 1, 0, 7), 6)
    said = program.module()(**bessel.signature.arguments(batch, {})).numpy()
    np.testing.assert_allclose(said, probabilities(bessel, batch), atol=1e-5, rtol=0)


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
