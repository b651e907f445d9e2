"""Edge convolutions against a loop over nodes and their neighbours."""

from __future__ import annotations

import sys
from typing import Any

import pytest
import torch

from root_gnn.errors import MissingExtraError
from root_gnn.graph.features import Features
from root_gnn.graph.scaling import Scaling
from root_gnn.models.edge_conv import Config
from root_gnn.testing import check_encoder, random_batch

pytestmark = pytest.mark.pyg
FEATURES = Features()
JETS = Features(nodes=("pt", "eta", "phi", "energy", "charge", "d0", "type"), n_type=5)
SMALL: dict[str, Any] = {"dim": 16, "n_block": 2, "k": 3}


@pytest.mark.parametrize("features", [FEATURES, JETS], ids=["events", "jets"])
@pytest.mark.parametrize("settings", [{"coordinates": "event"}, {"dynamic": False, "pooling": ("sum",)}])
def test_it_keeps_the_contract(settings: dict[str, Any], features: Features) -> None:
    check_encoder(Config(**SMALL, **settings).build, features=features)


@pytest.mark.parametrize("dynamic", [True, False])
def test_it_is_a_loop_over_neighbours(dynamic: bool) -> None:
    plain = random_batch(FEATURES, (7, 1, 4, 2), seed=1)
    batch = plain.replace(nodes=plain.nodes.double(), globals=plain.globals.double())
    encoder = Config(**SMALL, dynamic=dynamic).build(FEATURES, Scaling()).double().eval()
    out = encoder(batch)
    for graph in range(batch.n_graph):
        own = batch.graph_index == graph
        rows, angles = encoder.embed(encoder.inputs(batch))[own], batch.nodes[own][:, 1:3]
        apart = angles[:, None] - angles[None]
        apart[..., 1] = torch.remainder(apart[..., 1] + torch.pi, 2 * torch.pi) - torch.pi
        for k, block in enumerate(encoder.blocks):
            distance = torch.cdist(rows, rows) if dynamic and k > 0 else apart.norm(dim=-1)
            near = [[j for j in row.argsort().tolist() if j != i][:3] for i, row in enumerate(distance)]
            mlp = block.convolution.nn
            rows = torch.stack(
                [
                    row
                    + (torch.stack([mlp(torch.cat([row, rows[j] - row])) for j in near[i]]).mean(0) if near[i] else 0.0)
                    for i, row in enumerate(rows)
                ]
            )
        torch.testing.assert_close(out.nodes[own], rows, rtol=1e-9, atol=1e-9)


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "root_gnn.nn.edge_conv_pyg", raising=False)
    for name in ["torch_geometric", *(name for name in sys.modules if name.startswith("torch_geometric."))]:
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(MissingExtraError, match=r"root_gnn\[pyg\]"):
        Config().build(FEATURES, Scaling())
