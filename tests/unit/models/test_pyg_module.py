"""Modules of PyTorch Geometric and a user's own as encoders, and what is said of those that do not fit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from root_gnn.config.loader import load
from root_gnn.config.section import Section
from root_gnn.errors import InputError
from root_gnn.graph.features import Features
from root_gnn.graph.scaling import Scaling
from root_gnn.models.pyg_module import Config
from root_gnn.testing import check_encoder, random_batch

pytestmark = pytest.mark.pyg
FEATURES = Features()
JETS = Features(nodes=("pt", "eta", "phi", "energy", "charge", "d0", "type"), n_type=5)
OWN = """
import torch
from torch import nn

class Pooled(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.layer = nn.Linear(dim, dim)

    def forward(self, x, edge_index, batch):
        n_graph = int(batch.max()) + 1
        return x.new_zeros(n_graph, x.shape[1]).index_add(0, batch, self.layer(x))
"""


@pytest.fixture
def own_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "my_graph_networks.py").write_text(OWN, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    return "my_graph_networks.Pooled"


@pytest.mark.parametrize("features", [FEATURES, JETS], ids=["events", "jets"])
@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"k": 3, "coordinates": "event"},
        {"module": "torch_geometric.nn.GAT"},
        {"module": "torch_geometric.nn.GIN", "dim": 64},
    ],
    ids=["sage", "neighbours", "gat", "gin"],
)
def test_networks_of_the_library_keep_the_contract(settings: dict[str, Any], features: Features) -> None:
    check_encoder(Config(**settings).build, features=features)


def test_a_module_of_ones_own_may_speak_of_graphs(own_module: str) -> None:
    encoder = Config(module=own_module, arguments={"dim": 64}, gives="graphs").build(FEATURES, Scaling()).eval()
    batch = random_batch(FEATURES, (4, 1, 3), seed=1)
    out = encoder(batch)
    assert out.globals.shape == (3, 64)
    own = out.nodes[:4]
    torch.testing.assert_close(out.globals[0], encoder.module.layer(own).sum(0), rtol=1e-4, atol=1e-5)


def test_a_run_folder_does_not_run_code_that_was_not_allowed(own_module: str, tmp_path: Path) -> None:
    path = tmp_path / "model.yaml"
    path.write_text(f"module: {own_module}\narguments: {{dim: 64}}\n", encoding="utf-8")
    with pytest.raises(InputError, match="--allow-plugin"):
        load(Config, path, allow_dotted=False)
    allowed: Section = load(Config, path, allow_plugins=("my_graph_networks",))
    assert isinstance(allowed, Config) and allowed.module == own_module
    path.write_text("module: torch_geometric.nn.GAT\n", encoding="utf-8")
    assert load(Config, path, allow_dotted=False).module == "torch_geometric.nn.GAT"


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"module": "torch_geometric.nn.GraphSAG"}, "did you mean GraphSAGE"),
        ({"module": "torch_geometric.nn.global_mean_pool"}, "not a torch module"),
        ({"arguments": {"wrong": 1}}, "does not take the arguments"),
        ({"module": "no_such_package.Net"}, "no module"),
        ({"module": "Net"}, "no module"),
    ],
)
def test_what_does_not_fit_is_said_when_it_is_built(settings: dict[str, Any], text: str) -> None:
    with pytest.raises(InputError, match=text):
        Config(**settings).build(FEATURES, Scaling())


def test_an_answer_of_another_shape_is_refused() -> None:
    batch = random_batch(FEATURES, (4, 1), seed=1)
    for settings in ({"arguments": {"in_channels": 64, "hidden_channels": 32, "num_layers": 1}}, {"gives": "graphs"}):
        with pytest.raises(InputError, match="width dim = 64"):
            Config.model_validate(settings).build(FEATURES, Scaling())(batch)


class Forward(nn.Module):
    """Without an argument `batch`."""

    def forward(self, x: Tensor, edge_index: Tensor) -> Tensor:
        return x * 2.0


def test_batch_is_given_where_it_is_asked_for_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch_geometric.nn

    monkeypatch.setattr(torch_geometric.nn, "Forward", Forward, raising=False)
    encoder = Config(module="torch_geometric.nn.Forward", arguments={}).build(FEATURES, Scaling())
    batch = random_batch(FEATURES, (4, 1), seed=1)
    torch.testing.assert_close(encoder(batch).nodes, 2.0 * encoder.embed(encoder.inputs(batch)))
