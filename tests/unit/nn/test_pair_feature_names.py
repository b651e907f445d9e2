"""A pair feature is one entry of a table: all places that speak of pair features know it without another line."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from pydantic import TypeAdapter, ValidationError

from root_gnn.graph.features import Features
from root_gnn.graph.scaling import Scaling
from root_gnn.kernels.library import library
from root_gnn.kinematics.pairs import KNOWN, PAIR_FEATURES, pair_features
from root_gnn.models import encode_process_decode, graph_transformer, particle_transformer
from root_gnn.nn.pair_feature_names import PairFeatureNames, SymmetricPairFeatureNames
from root_gnn.testing import check_encoder, random_batch

FILE = """
from root_gnn.kinematics.pairs import PairFeature, add_pair_feature

add_pair_feature(PairFeature("asymmetry", lambda pairs: (pairs.pt_first - pairs.pt_second).abs()
                             / (pairs.pt_first + pairs.pt_second + 1.0)))
"""
FEATURES = Features()
BATCH = random_batch(FEATURES, (5, 1, 8), seed=1)


@pytest.fixture
def asymmetry(tmp_path: Path) -> Iterator[str]:
    """The name of a pair feature that a file outside of the package defines."""
    (tmp_path / "own_feature.py").write_text(FILE)
    spec = importlib.util.spec_from_file_location("own_feature", tmp_path / "own_feature.py")
    assert spec is not None and spec.loader is not None
    spec.loader.exec_module(importlib.util.module_from_spec(spec))
    yield "asymmetry"
    del KNOWN["asymmetry"]


def test_a_feature_in_one_file_is_computed_and_scaled(asymmetry: str) -> None:
    senders, receivers = BATCH.edge_index()
    pt = BATCH.nodes[:, 0]
    expected = (pt[senders] - pt[receivers]).abs() / (pt[senders] + pt[receivers] + 1.0)
    got = pair_features(BATCH.nodes[senders, :4], BATCH.nodes[receivers, :4], [asymmetry])[:, 0]
    torch.testing.assert_close(got, expected)
    fitted = Scaling.fit([BATCH], FEATURES).edges[asymmetry]
    assert fitted.mean == pytest.approx(float(expected.double().mean()), rel=1e-5)


@pytest.mark.parametrize("form", ["native", "compiled", "pyg", "dgl"])
def test_a_feature_in_one_file_is_on_the_edges_of_the_graph_network(asymmetry: str, form: str) -> None:
    if form in ("pyg", "dgl"):
        pytest.importorskip({"pyg": "torch_geometric", "dgl": "dgl"}[form])
    if form == "compiled" and library() is None:
        pytest.skip("the compiled operator is not there")
    scaling = Scaling.fit([BATCH], FEATURES)
    seen = []
    for names in ((*PAIR_FEATURES, asymmetry), PAIR_FEATURES):
        torch.manual_seed(2)
        config = encode_process_decode.Config.model_validate({"dim": 16, "pair_features": names, "form": form})
        encoder = config.build(FEATURES, scaling).eval()
        seen.append(encoder.pair_inputs(BATCH.nodes, *BATCH.edge_index()))
        assert bool(torch.isfinite(encoder(BATCH).globals).all())
        moved = BATCH.replace(nodes=BATCH.nodes * torch.tensor([1.01, *[1.0] * (len(FEATURES.nodes) - 1)]))
        assert not torch.equal(encoder(moved).globals, encoder(BATCH).globals)
    assert torch.equal(seen[0][:, :6], seen[1])
    assert float(seen[0][:, 6].std()) == pytest.approx(1.0, abs=0.05)


@pytest.mark.parametrize("model", [particle_transformer, graph_transformer])
def test_a_feature_in_one_file_biases_the_attention_of_transformers(asymmetry: str, model: Any) -> None:
    config = model.Config.model_validate({"dim": 16, "n_head": 2, "n_block": 1, "pair_features": [asymmetry]})
    encoder = config.build(FEATURES, Scaling.fit([BATCH], FEATURES)).eval()
    assert encoder.pairs.names == (asymmetry,)
    before = encoder(BATCH).globals
    with torch.no_grad():
        encoder.pairs.std.mul_(0.1)
    assert not torch.equal(encoder(BATCH).globals, before)
    check_encoder(config.build, tolerance=1e-5)


def test_a_feature_in_one_file_is_listed_where_a_name_is_unknown_and_where_an_editor_completes(asymmetry: str) -> None:
    with pytest.raises(ValidationError, match=f"there is no pair feature 'none'; known are: .*{asymmetry}"):
        encode_process_decode.Config.model_validate({"pair_features": ["none"]})
    assert asymmetry in str(TypeAdapter(PairFeatureNames).json_schema())


def test_features_that_depend_on_the_order_are_no_bias_of_attention() -> None:
    with pytest.raises(ValidationError, match=r"delta_phi depends on the order .*: delta_r, ln_kt, ln_z, ln_m2, ln_dr"):
        graph_transformer.Config.model_validate({"pair_features": ["delta_phi"]})
    assert "delta_phi" not in str(TypeAdapter(SymmetricPairFeatureNames).json_schema())
