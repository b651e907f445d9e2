"""The Particle Transformer: weaver's numbers from weaver's weights, no effect of buckets, the published size."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import torch
from pydantic import ValidationError
from torch import Tensor, nn

from root_gnn.convert.weaver_weights import load_weaver
from root_gnn.data.reading.graphs import build_graphs
from root_gnn.data.reading.read import read
from root_gnn.data.spec.spec import load_spec
from root_gnn.errors import InputError
from root_gnn.graph.batch import Batch
from root_gnn.graph.features import Features
from root_gnn.graph.scaling import Affine, Scaling
from root_gnn.models.particle_transformer import Config, ParticleTransformer
from root_gnn.nn.token_inputs import TokenEmbedding
from root_gnn.testing import check_encoder, random_batch

FEATURES = Features()
JETS = Features(nodes=("pt", "eta", "phi", "energy", "charge", "d0", "type"), n_type=5)
SMALL: dict[str, Any] = {"dim": 16, "n_head": 2, "n_block": 2, "embedding": (16,), "pair_hidden": (8,)}


def build(settings: dict[str, Any], features: Features = FEATURES, seed: int = 1) -> ParticleTransformer:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return (
            Config(**settings)
            .build(features, Scaling.fit([random_batch(features, (6,) * 30, seed=9)], features))
            .eval()
        )


def double(batch: Batch) -> Batch:
    return batch.replace(nodes=batch.nodes.double(), globals=batch.globals.double())


@pytest.mark.parametrize("features", [FEATURES, JETS], ids=["events", "jets"])
@pytest.mark.parametrize(
    "settings", [{"coordinates": "event"}, {**SMALL, "batch_norm": True}, {**SMALL, "bucket_nodes": 4}]
)
def test_it_keeps_the_contract(settings: dict[str, Any], features: Features) -> None:
    check_encoder(Config(**settings).build, features=features)


def test_buckets_change_neither_outputs_nor_gradients() -> None:
    batch = double(random_batch(FEATURES, (12, 0, 3, 40, 1, 7, 22, 0, 5), seed=3))
    results = []
    for limit in (1, 16, 10_000):
        encoder = build({**SMALL, "bucket_nodes": limit}).double()
        out = encoder(batch)
        row = torch.cat([out.nodes.flatten(), out.globals.flatten()])
        (row * torch.cos(torch.arange(row.shape[0]))).sum().backward()
        results.append((row.detach(), torch.cat([parameter.grad.flatten() for parameter in encoder.parameters()])))
    for row, gradient in results[1:]:
        torch.testing.assert_close(row, results[0][0], rtol=1e-9, atol=1e-9)
        torch.testing.assert_close(gradient, results[0][1], rtol=1e-8, atol=1e-8)


def test_the_default_is_small_and_the_paper_is_the_paper() -> None:
    assert sum(p.numel() for p in build({}).parameters()) < 300_000
    assert Config(preset="paper", dropout=0.0).dropout == 0.0
    assert Config.model_validate(Config(preset="paper", n_block=2).model_dump()) == Config(preset="paper", n_block=2)
    published = build({"preset": "paper"}, JETS)
    weaver_with_seven_inputs, its_layer_to_three_classes = 2_141_263, 3 * 128 + 3
    expected = weaver_with_seven_inputs - its_layer_to_three_classes + (published.inputs.dim - 7) * (2 + 2 + 128)
    assert sum(p.numel() for p in published.parameters()) == expected


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"dim": 60}, "56 or 64"),
        ({"n_head": 16}, "multiple of 8"),
        ({"pair_hidden": (20,)}, "16 or 24"),
        ({"n_head": 3}, "multiple of 8"),
    ],
)
def test_widths_are_multiples_of_eight(settings: dict[str, Any], text: str) -> None:
    with pytest.raises(ValidationError, match=text):
        Config(**settings)


def test_a_graph_without_nodes_is_the_token_alone() -> None:
    encoder = build(SMALL)
    empty = random_batch(FEATURES, (0, 0), seed=1)
    out = encoder(empty)
    torch.testing.assert_close(out.globals[0], out.globals[1])
    assert out.nodes.shape == (0, 16)
    assert not bool(out.globals.isnan().any())
    assert encoder(random_batch(FEATURES, (), seed=1)).globals.shape == (0, 16)


def test_turning_and_moving_a_jet_changes_nothing() -> None:
    """In coordinates of the jet, neither its azimuth nor its pseudorapidity changes anything (massless)."""
    encoder, batch = build(SMALL).double(), double(random_batch(FEATURES, (5, 9), seed=4))
    pt, eta, phi, kind = batch.nodes[:, 0], 0.1 * batch.nodes[:, 1], 0.1 * batch.nodes[:, 2], batch.nodes[:, 4:]

    def moved(by_eta: float, by_phi: float) -> Tensor:
        angle = torch.remainder(phi + by_phi + math.pi, 2 * math.pi) - math.pi
        energy = pt * torch.cosh(
            eta
        )  # as if longitudinal boosts left it: only the pair features and the angles are asked
        return torch.cat([torch.stack([pt, eta + by_eta, angle, energy], 1), kind], 1)

    first, turned = (encoder(batch.replace(nodes=moved(0.0, angle))).globals for angle in (0.0, math.pi))
    torch.testing.assert_close(turned, first, rtol=1e-9, atol=1e-9)
    shifted = encoder.inputs(batch.replace(nodes=moved(0.3, 0.0)))
    torch.testing.assert_close(shifted, encoder.inputs(batch.replace(nodes=moved(0.0, 0.0))), rtol=1e-9, atol=1e-9)


def test_half_precision_keeps_up_with_single() -> None:
    encoder, batch = build({}), random_batch(FEATURES, (40, 3, 17, 0, 1), seed=5)
    exact = encoder(batch).globals.detach()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        rough = encoder(batch).globals.detach()
    assert float((rough.float() - exact).abs().max()) < 0.15 * float(exact.abs().max())


def test_layers_run_from_the_embedding_to_the_token() -> None:
    encoder, batch = build(SMALL), random_batch(FEATURES, (5, 3, 0), seed=1)
    layers, out = encoder.layers(batch), encoder(batch)
    assert list(layers) == ["embedding", "block_1", "block_2", "class"]
    torch.testing.assert_close(layers["class"], out.globals)
    torch.testing.assert_close(layers["block_2"][0], out.nodes[:5].mean(0))


def padded(batch: Batch, inputs: Tensor, length: int) -> tuple[Tensor, Tensor, Tensor]:
    """Inputs, Cartesian momenta and mask in weaver's layout: particles last, zero where there is none."""
    x, v = (inputs.new_zeros(batch.n_graph, width, length) for width in (inputs.shape[1], 4))
    mask = torch.zeros(batch.n_graph, 1, length, dtype=torch.bool)
    pt, eta, phi, energy = batch.nodes[:, :4].unbind(1)
    momenta = torch.stack([pt * phi.cos(), pt * phi.sin(), pt * eta.sinh(), energy], 1)
    for graph in range(batch.n_graph):
        rows = batch.graph_index == graph
        count = int(rows.sum())
        x[graph, :, :count], v[graph, :, :count], mask[graph, 0, :count] = inputs[rows].T, momenta[rows].T, True
    return x, v, mask


def weaver_network(n_input: int, **settings: Any) -> nn.Module:
    pytest.importorskip("weaver", reason="weaver-core is not installed")
    from weaver.nn.model.ParticleTransformer import ParticleTransformer as Theirs

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(2)
        network = Theirs(n_input, 3, **settings).eval()
        for parameter in network.parameters():
            parameter.data += 0.05 * torch.randn_like(parameter)
        for name, buffer in network.named_buffers():
            if name.endswith("running_mean"):
                buffer.normal_()
            if name.endswith("running_var"):
                buffer.uniform_(0.5, 2.0)
    return network


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-9), (torch.float32, 1e-4)])
def test_weights_of_weaver_give_the_numbers_of_weaver(dtype: torch.dtype, tolerance: float) -> None:
    """The particles are heavy: of a light one's energy single precision has no mass left, in either network."""
    theirs, ours = weaver_network(7).to(dtype), build({"preset": "paper"})
    ours.embed = TokenEmbedding(7, (128, 512, 128), batch_norm=True)
    load_weaver(
        ours, {f"mod.{name.replace('in_proj.', 'in_proj_')}": value for name, value in theirs.state_dict().items()}
    )
    ours = ours.to(dtype).eval()
    plain = random_batch(FEATURES, (5, 1, 30, 8, 12), seed=6)
    heavier = torch.tensor([1.0, 1.0, 1.0, 1.2] + [1.0] * (len(FEATURES.nodes) - 4))
    batch = plain.replace(nodes=(plain.nodes * heavier).to(dtype), globals=plain.globals.to(dtype))
    inputs = torch.randn(batch.total_node, 7, generator=torch.Generator().manual_seed(1)).to(dtype).requires_grad_()
    theirs.fc = None  # type: ignore[assignment]
    expected = theirs(*padded(batch, inputs, 40))
    _, got = ours.states(batch, inputs)
    assert float((got - expected).detach().abs().max()) < tolerance
    weight = torch.cos(torch.arange(got.numel())).view_as(got)
    gradients = [torch.autograd.grad((out * weight).sum(), inputs)[0] for out in (expected, got)]
    assert float((gradients[1] - gradients[0]).norm()) < 10 * tolerance * float(gradients[0].norm())


def test_weights_of_another_network_are_refused() -> None:
    theirs = weaver_network(7).state_dict()
    with pytest.raises(InputError, match="as many inputs"):
        load_weaver(build({"preset": "paper"}), theirs)
    with pytest.raises(InputError, match="blocks\\.0\\.fc1_g"):
        load_weaver(build({"preset": "paper"}), weaver_network(7, version=2).state_dict())


def test_inputs_in_the_order_of_weaver_take_its_weights(data_dir: Path) -> None:
    """The recipe of docs/models.md, on simulated jets: ours from the file, theirs from the inputs ours made of it."""
    order = (
        "log_pt",
        "log_energy",
        "log_pt_rel",
        "log_energy_rel",
        "delta_r",
        "charge",
        "isChargedHadron",
        "isNeutralHadron",
        "isPhoton",
        "isElectron",
        "isMuon",
        "d0val",
        "d0err",
        "dzval",
        "dzerr",
        "deta",
        "dphi",
    )
    spec = load_spec("jetclass")
    scaling = Scaling(nodes={"d0val": Affine("tanh", 0.0, 1.0), "dzval": Affine("tanh", 0.0, 1.0)})
    encoder = Config(preset="paper", inputs=order).build(spec.features(), scaling)
    theirs = weaver_network(len(order)).double()
    load_weaver(encoder, theirs.state_dict())
    encoder = encoder.double().eval()
    batch = double(build_graphs(read(data_dir / "Tbqq.root", spec, stop=8), spec))
    batch.nodes[:, 3] = torch.maximum(
        batch.nodes[:, 3], batch.nodes[:, 0] * batch.nodes[:, 1].cosh()
    )  # no mass below 0 by rounding
    inputs = encoder.inputs(batch)
    columns = [spec.features().column(name) for name in ("d0val", "dphi")]
    torch.testing.assert_close(
        inputs[:, [11, 16]], torch.stack([batch.nodes[:, columns[0]].tanh(), batch.nodes[:, columns[1]]], 1)
    )
    theirs.fc = None  # type: ignore[assignment]
    expected = theirs(*padded(batch, inputs, int(batch.n_node.max())))
    assert float((encoder(batch).globals - expected).detach().abs().max()) < 1e-6
