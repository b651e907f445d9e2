"""The graph network: all backends and a slow loop agree, symmetries are exact, the published network is exact."""

from __future__ import annotations

import copy
import math
import pickle
import sys
from typing import Any

import pytest
import torch
from torch import Tensor

from root_gnn.augmentations.rotate_phi import Config as Rotation
from root_gnn.config.loader import load
from root_gnn.config.shipped import find
from root_gnn.errors import InputError, MissingExtraError
from root_gnn.graph.batch import Batch
from root_gnn.graph.features import Features
from root_gnn.graph.random_stream import RandomStream
from root_gnn.graph.scaling import Scaling
from root_gnn.heads.mlp import Config as HeadConfig
from root_gnn.kernels.library import SWITCH
from root_gnn.models.encode_process_decode import Backend, Config, EncodeProcessDecode
from root_gnn.objectives.multiclass import Config as MulticlassConfig
from root_gnn.runs.recipe import Recipe
from root_gnn.testing import random_batch

FEATURES = Features()
FAITHFUL: dict[str, Any] = {
    "dim": 64,
    "n_steps": 4,
    "n_layer": 4,
    "activation": "relu",
    "activate_last": True,
    "residual": False,
    "share_steps": True,
    "aggregation": ("sum",),
    "pooling": ("mean",),
    "pair_features": ("delta_eta", "delta_phi", "delta_r"),
    "type_embedding": False,
    "absolute_phi": True,
    "dropout": 0.0,
}
FAITHFUL_HEAD = HeadConfig(n_layer=4, activation="relu", activate_last=True, dropout=0.0)
FORMS = [
    pytest.param("compiled", marks=pytest.mark.compiled),
    pytest.param("pyg", marks=pytest.mark.pyg),
    pytest.param("dgl", marks=pytest.mark.dgl),
]
SETTINGS: dict[str, dict[str, Any]] = {
    "default": {"dim": 16},
    "all aggregations": {"dim": 16, "aggregation": ("sum", "mean", "max"), "pooling": ("max", "sum")},
    "max alone": {"dim": 16, "aggregation": ("max",), "share_steps": True},
    "faithful": FAITHFUL | {"dim": 16},
    "faithful unshared": FAITHFUL | {"dim": 16, "share_steps": False, "pooling": None},
}
MIXED = (4, 1, 0, 5, 2, 0)
CASES = [pytest.param(settings, MIXED, id=name) for name, settings in SETTINGS.items()]
CASES += [
    pytest.param(SETTINGS["all aggregations"], (1, 1, 0), id="no edges"),
    pytest.param(SETTINGS["all aggregations"], (0, 0), id="no nodes"),
]


def build(settings: dict[str, Any], *, form: Backend = "native") -> EncodeProcessDecode:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(5)
        scaling = Scaling.fit([random_batch(FEATURES, (6,) * 30, seed=9)], FEATURES)
        return Config(**settings, form=form).build(FEATURES, scaling).double().eval()


def batch_of(sizes: tuple[int, ...], seed: int = 1) -> Batch:
    batch = random_batch(FEATURES, sizes, seed=seed)
    return batch.replace(nodes=batch.nodes.double(), globals=batch.globals.double())


def outputs_and_gradient(encoder: EncodeProcessDecode, out: Batch) -> tuple[Tensor, Tensor]:
    """All outputs, and the gradient of a fixed random projection of them in all parameters, as one vector each."""
    row = torch.cat([out.nodes.flatten(), out.globals.flatten()])
    encoder.zero_grad()
    (row * torch.cos(torch.arange(row.shape[0], dtype=row.dtype))).sum().backward()
    gradient = torch.cat(
        [torch.zeros_like(p).flatten() if p.grad is None else p.grad.flatten().clone() for p in encoder.parameters()]
    )
    return row.detach(), gradient


def assert_same(
    encoder: EncodeProcessDecode, expected: Batch, other: EncodeProcessDecode, got: Batch, tolerance: float
) -> None:
    row, gradient = outputs_and_gradient(encoder, expected)
    other_row, other_gradient = outputs_and_gradient(other, got)
    torch.testing.assert_close(other_row, row, rtol=tolerance, atol=tolerance)
    assert float(gradient.norm()) > 0
    assert float((other_gradient - gradient).norm()) <= tolerance * float(gradient.norm())


def slow(encoder: EncodeProcessDecode, settings: dict[str, Any], batch: Batch) -> Batch:
    """The network by loops over graphs, pairs and nodes, with concatenated inputs, written from the paper."""
    reduce = {"sum": lambda rows: rows.sum(0), "mean": lambda rows: rows.mean(0), "max": lambda rows: rows.amax(0)}
    aggregation = settings.get("aggregation", ("mean", "max"))
    pooling = settings.get("pooling") or aggregation
    residual, dim = settings.get("residual", True), settings["dim"]

    def collected(rows: list[Tensor], names: tuple[str, ...]) -> Tensor:
        stacked = torch.stack(rows) if rows else torch.zeros(1, dim, dtype=torch.float64)
        return torch.cat([reduce[name](stacked) for name in names])

    all_nodes, all_globals, start = [], [], 0
    for graph, count in enumerate(batch.n_node.tolist()):
        x = batch.nodes[start : start + count]
        start += count
        node = list(encoder.encode_nodes(encoder.node_inputs(x)))
        pairs = [(i, j) for i in range(count) for j in range(count) if i != j]
        edge = {
            (i, j): encoder.encode_edges(encoder.pair_inputs(x, torch.tensor([i]), torch.tensor([j])))[0]
            for i, j in pairs
        }
        u = encoder.encode_globals(encoder.global_inputs(batch))[graph]
        for k in range(encoder.n_steps):
            step = encoder.step(k)
            new = {(i, j): step.edge(torch.cat([edge[i, j], node[i], node[j], u])) for i, j in pairs}
            edge = {pair: edge[pair] + new[pair] if residual else new[pair] for pair in pairs}
            into = [
                collected([edge[i, j] for i, j in pairs if j == receiver], aggregation) for receiver in range(count)
            ]
            moved = [step.node(torch.cat([into[n], node[n], u])) for n in range(count)]
            node = [node[n] + moved[n] if residual else moved[n] for n in range(count)]
            edges = collected(list(edge.values()), ("sum" if "sum" in pooling else "mean",))
            update = step.globals(torch.cat([u, collected(node, pooling), edges]))
            u = u + update if residual else update
        all_nodes += node
        all_globals.append(u)
    nodes = torch.stack(all_nodes) if all_nodes else torch.zeros(0, dim, dtype=torch.float64)
    return batch.replace(nodes=nodes, globals=torch.stack(all_globals))


@pytest.mark.parametrize(("settings", "sizes"), CASES)
def test_native_form_is_the_loop(settings: dict[str, Any], sizes: tuple[int, ...]) -> None:
    encoder, batch = build(settings), batch_of(sizes)
    assert_same(encoder, slow(encoder, settings, batch), encoder, encoder(batch), 1e-9)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(("settings", "sizes"), CASES)
def test_forms_agree_in_outputs_and_gradients(settings: dict[str, Any], sizes: tuple[int, ...], form: Backend) -> None:
    encoder, other, batch = build(settings), build(settings, form=form), batch_of(sizes)
    assert_same(encoder, encoder(batch), other, other(batch), 1e-9)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("settings", [{}, FAITHFUL], ids=["default", "faithful"])
def test_forms_agree_in_single_precision(settings: dict[str, Any], form: Backend) -> None:
    encoder, other = build(settings).float(), build(settings, form=form).float()
    batch = random_batch(FEATURES, (1, 9, 5, 12, 1, 0, 3), seed=4)
    assert_same(encoder, encoder(batch), other, other(batch), 1e-5)


EXACT = {
    "default": ({}, MIXED),
    "faithful": (FAITHFUL, MIXED),
    "wide": (FAITHFUL | {"dim": 128}, MIXED),
    "one layer": ({"dim": 24, "activation": "silu", "n_layer": 1}, MIXED),
    "three layers": ({"dim": 40, "n_layer": 3}, MIXED),
    "no edges": (SETTINGS["all aggregations"], (1, 1, 0)),
    "no nodes": (FAITHFUL, (0, 0)),
    "one large": (SETTINGS["all aggregations"] | {"dropout": 0.0}, (200,)),
    "one large faithful": (SETTINGS["faithful"], (200,)),
}


@pytest.mark.compiled
@pytest.mark.parametrize("recompute", [False, True])
@pytest.mark.parametrize(("settings", "sizes"), EXACT.values(), ids=EXACT)
def test_compiled_form_is_as_near_to_double_precision_as_native(
    settings: dict[str, Any], sizes: tuple[int, ...], recompute: bool
) -> None:
    """As whole vectors. A ReLU at its kink may fall on the other side in single precision, in either form."""
    encoder, single = build(settings), build(settings).float()
    compiled = build(settings | {"recompute": recompute}, form="compiled").float()
    batch = random_batch(FEATURES, sizes, seed=4)
    wide = batch.replace(nodes=batch.nodes.double(), globals=batch.globals.double())
    row, gradient = outputs_and_gradient(encoder, encoder(wide))
    _, of_native = outputs_and_gradient(single, single(batch))
    got, of_compiled = outputs_and_gradient(compiled, compiled(batch))
    assert float((got - row).norm()) <= 1e-5 * float(row.norm())
    allowed = max(1e-5 * float(gradient.norm()), 3.0 * float((of_native - gradient).norm()))
    assert float((of_compiled - gradient).norm()) <= allowed <= 3e-2 * float(gradient.norm())


def test_recomputing_changes_nothing() -> None:
    encoder, other, batch = build({"dim": 8}), build({"dim": 8, "recompute": True}), batch_of(MIXED)
    assert_same(encoder, encoder(batch), other, other(batch), 0.0)
    with pytest.raises(ValueError, match="recompute: the form pyg keeps everything"):
        Config(form="pyg", recompute=True)


def test_auto_is_native_where_nothing_is_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SWITCH, "0")
    encoder, other = build({"dim": 8}).float(), build({"dim": 8}, form="auto").float()
    batch = random_batch(FEATURES, MIXED, seed=1)
    assert_same(encoder, encoder(batch), other, other(batch), 0.0)
    with pytest.raises(InputError, match=f"switched off by {SWITCH}=0"):
        build({"dim": 8}, form="compiled")


@pytest.mark.parametrize("dim", [4, 6, 12])
def test_widths_are_multiples_of_8(dim: int) -> None:
    with pytest.raises(ValueError, match=f"a multiple of 8, .* not {dim}; take"):
        Config(dim=dim)


@pytest.mark.compiled
def test_forms_are_copied_and_sent_to_other_processes() -> None:
    encoder, batch = build({"dim": 8}, form="auto").float(), random_batch(FEATURES, MIXED, seed=1)
    for copied in (copy.deepcopy(encoder), pickle.loads(pickle.dumps(encoder))):
        assert torch.equal(copied(batch).globals, encoder(batch).globals)


@pytest.mark.parametrize("form", FORMS)
def test_forms_share_one_state_dict(form: Backend) -> None:
    encoder, other, batch = build({"dim": 8}), build({"dim": 8}, form=form), batch_of((3, 2))
    with torch.no_grad():
        for parameter in other.parameters():
            parameter.add_(1.0)
    assert not torch.allclose(encoder(batch).globals, other(batch).globals)
    other.load_state_dict(encoder.state_dict(), strict=True)
    torch.testing.assert_close(other(batch).globals, encoder(batch).globals)


@pytest.mark.parametrize("form", FORMS)
def test_forms_take_stored_edges(form: Backend) -> None:
    encoder, other = build({"dim": 8}), build({"dim": 8}, form=form)
    complete = batch_of((4, 1, 3))
    senders, receivers = (end[torch.arange(18) % 3 != 1] for end in complete.edge_index())
    batch = Batch.of(
        complete.nodes, complete.n_node, globals=complete.globals, senders=senders, receivers=receivers
    ).check()
    assert_same(encoder, encoder(batch), other, other(batch), 1e-9)
    assert not torch.allclose(encoder(batch).globals, encoder(complete).globals)


def test_stored_edges_that_are_all_pairs_change_nothing() -> None:
    encoder, batch = build({"dim": 8}), batch_of((4, 1, 0, 3))
    senders, receivers = batch.edge_index()
    torch.testing.assert_close(
        encoder(batch.replace(senders=senders, receivers=receivers)).globals, encoder(batch).globals
    )


def test_faithful_recipe_is_the_network_tested_here() -> None:
    recipe = load(Recipe, find("pretrain_multiclass_faithful", "recipe"))
    assert recipe.model == Config(**FAITHFUL)
    assert isinstance(recipe.objective, MulticlassConfig)
    assert recipe.objective.head == FAITHFUL_HEAD


@pytest.mark.parametrize(("share", "expected"), [(True, 134_529), (False, 371_457)])
def test_faithful_preset_has_the_published_number_of_parameters(share: bool, expected: int) -> None:
    """arXiv:2412.10665: four layers of 64 and a LayerNorm in every MLP, four steps, one output."""
    encoder = Config(**FAITHFUL | {"share_steps": share}).build(FEATURES, Scaling())
    head = FAITHFUL_HEAD.build(encoder.dim, 1)
    assert sum(p.numel() for p in (*encoder.parameters(), *head.parameters())) == expected


def turned(batch: Batch, angle: float) -> Batch:
    nodes = batch.nodes.clone()
    nodes[:, 2] = torch.remainder(nodes[:, 2] + angle + math.pi, 2 * math.pi) - math.pi
    return batch.replace(nodes=nodes)


@pytest.mark.parametrize("angle", [1e-3, 0.7, math.pi, -2.5])
def test_default_encoder_does_not_see_rotations_about_the_beam(angle: float) -> None:
    encoder, batch = build({}), batch_of((5, 2, 1, 0, 7))
    out, rotated = encoder(batch), encoder(turned(batch, angle))
    torch.testing.assert_close(rotated.globals, out.globals, rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(rotated.nodes, out.nodes, rtol=1e-9, atol=1e-9)
    single, plain = build({}).float(), random_batch(FEATURES, (5, 2, 1, 0, 7), seed=1)
    torch.testing.assert_close(single(turned(plain, angle)).globals, single(plain).globals, rtol=1e-4, atol=1e-4)


def test_faithful_encoder_sees_rotations() -> None:
    encoder, batch = build(FAITHFUL), batch_of((5, 2))
    assert not torch.allclose(encoder(turned(batch, 0.7)).globals, encoder(batch).globals, atol=1e-4)


def test_the_seam_at_pi_is_no_place() -> None:
    """Two nodes on either side of the seam are as near as two on either side of zero, and -pi is pi."""
    encoder, batch = build({}), batch_of((2, 2))
    nodes = batch.nodes[:2].repeat(2, 1)
    nodes[:, 2] = torch.tensor([math.pi - 0.01, -math.pi + 0.01, -0.01, 0.01], dtype=torch.float64)
    near = encoder(batch.replace(nodes=nodes)).globals
    torch.testing.assert_close(near[0], near[1], rtol=1e-9, atol=1e-9)
    nodes[:, 2] = torch.tensor([math.pi, 1.0, -math.pi, 1.0], dtype=torch.float64)
    seam = encoder(batch.replace(nodes=nodes)).globals
    torch.testing.assert_close(seam[0], seam[1], rtol=1e-9, atol=1e-9)


def test_dropout_is_off_in_evaluation_and_drawn_from_torch_in_training() -> None:
    encoder, batch = build({"dim": 8, "dropout": 0.5}), batch_of((5, 3))
    assert torch.equal(encoder(batch).globals, encoder(batch).globals)
    encoder.train()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        first, second = encoder(batch).globals, encoder(batch).globals
        torch.manual_seed(1)
        again = encoder(batch).globals
    assert not torch.equal(first, second)
    assert torch.equal(first, again)


def test_layers_run_from_the_encoder_to_the_output() -> None:
    encoder, batch = build({"dim": 8, "n_steps": 3}), batch_of((5, 3, 0))
    layers, out = encoder.layers(batch), encoder(batch)
    assert list(layers) == ["encoder", "step_1", "step_2", "step_3"]
    torch.testing.assert_close(layers["step_3"][:, :8], out.globals)
    torch.testing.assert_close(layers["step_3"][0, 8:], out.nodes[:5].mean(0))
    assert not torch.allclose(layers["step_1"], layers["step_2"])


def test_shared_steps_share_and_others_do_not() -> None:
    shared, separate = build({"dim": 8, "share_steps": True}), build({"dim": 8})
    assert shared.step(0) is shared.step(2)
    assert separate.step(0) is not separate.step(2)


@pytest.mark.parametrize("key", ["pt", "eta", "energy", "btag", "charge", "type"])
def test_every_node_feature_reaches_the_output(key: str) -> None:
    encoder, batch = build({"dim": 8}), batch_of((4, 3))
    nodes = batch.nodes.clone()
    nodes[:, FEATURES.column(key)] = torch.remainder(nodes[:, FEATURES.column(key)] + 1.0, 5.0)
    assert not torch.allclose(encoder(batch.replace(nodes=nodes)).globals, encoder(batch).globals, atol=1e-5)


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for form, package in (("pyg", "torch_geometric"), ("dgl", "dgl")):
        monkeypatch.delitem(sys.modules, f"root_gnn.nn.message_passing.{form}", raising=False)
        for name in [package, *(name for name in sys.modules if name.startswith(f"{package}."))]:
            monkeypatch.setitem(sys.modules, name, None)
        with pytest.raises(MissingExtraError, match=rf"root_gnn\[{form}\]"):
            Config(form=form).build(FEATURES, Scaling())


def test_augmented_rotation_is_the_same_symmetry() -> None:
    encoder, batch = build({}), batch_of((5, 2, 1, 0, 7))
    rotated = Rotation().build(FEATURES)(batch, RandomStream(seed=1, epoch=1))
    assert not torch.allclose(rotated.nodes, batch.nodes)
    torch.testing.assert_close(encoder(rotated).globals, encoder(batch).globals, rtol=1e-9, atol=1e-9)
