"""`train.static_shapes` and `train.compile`: one shape for all batches of an epoch, and the run it leaves is the run
without it.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from root_gnn.config.loader import load
from root_gnn.config.shipped import find
from root_gnn.errors import InputError
from root_gnn.graph.static import padded
from root_gnn.runs.recipe import Recipe
from root_gnn.runs.setup import TrainingSetup
from root_gnn.runs.train import train

SMALL = (
    "data.classes={WH: WH.root, ZH: ZH.root}",
    "data.max_events=150",
    "model.dim=8",
    "model.n_steps=1",
    "model.dropout=0",
    "train.max_epochs=2",
    "train.batch_size=48",
    "objective.head.dropout=0",
)
STATIC = "train.static_shapes=true"


def bench_of(data_dir: Path, *overrides: str) -> TrainingSetup:
    return TrainingSetup(load(Recipe, find("pretrain_multiclass", "recipe"), [*SMALL, *overrides]), data_dir=data_dir)


def test_all_batches_of_an_epoch_have_one_shape(data_dir: Path) -> None:
    bench = bench_of(data_dir, STATIC)
    assert bench.shape is not None
    batches = list(bench.training_batches())
    assert len(batches) > 2 and batches[-1].n_graph < batches[0].n_graph  # the last one is smaller
    assert len({(batch.n_graph, batch.total_node, batch.n_edge) for batch in batches}) == len(batches)
    names = ("nodes", "globals", "n_node", "graph_index", "senders", "receivers")
    shapes = {
        tuple(getattr(filled, name).shape for name in names)
        for filled in (padded(batch, bench.shape) for batch in batches)
    }
    assert len(shapes) == 1


def test_a_run_is_the_same_with_and_without(data_dir: Path, tmp_path: Path) -> None:
    plain, static = (
        train("pretrain_multiclass", overrides=(*SMALL, *more), data_dir=data_dir, run_dir=tmp_path / name)
        for name, more in (("plain", ()), ("static", (STATIC,)))
    )
    assert plain.history.keys() == static.history.keys()
    for name in ("train/loss", "val/loss", "val/auc"):
        np.testing.assert_allclose(static.history[name], plain.history[name], rtol=0, atol=1e-6)
    assert static.metrics["best_epoch"] == plain.metrics["best_epoch"]
    for name, weight in plain.objective.state_dict().items():
        torch.testing.assert_close(static.objective.state_dict()[name], weight, rtol=0, atol=1e-4)


@pytest.mark.parametrize(
    ("override", "why"),
    [
        (
            "model={name: graph_transformer, dim: 16, n_head: 2}",
            "graph_transformer works on tensors whose shapes change",
        ),
        ("objective={name: contrastive, views: [[rotate_phi], []]}", "without labels"),
    ],
)
def test_where_padding_would_fix_nothing_it_is_refused(override: str, why: str, data_dir: Path) -> None:
    overrides = [one for one in SMALL if not one.startswith(("objective", "model"))]
    recipe = load(Recipe, find("pretrain_multiclass", "recipe"), [*overrides, override, STATIC])
    with pytest.raises(InputError, match=f"static_shapes is true, but .*{why}"):
        TrainingSetup(recipe, data_dir=data_dir)


def test_networks_that_would_be_compiled_in_every_step_are_refused(data_dir: Path) -> None:
    overrides = [one for one in SMALL if not one.startswith("model")]
    chosen = ["model={name: graph_transformer, dim: 16, n_head: 2}", "train.compile=true"]
    recipe = load(Recipe, find("pretrain_multiclass", "recipe"), [*overrides, *chosen])
    with pytest.raises(InputError, match="compile is true, but graph_transformer works on tensors whose shapes change"):
        TrainingSetup(recipe, data_dir=data_dir)
    shared = load(Recipe, find("pretrain_multiclass", "recipe"), [*SMALL, "train.compile=true", "train.strategy=fsdp"])
    with pytest.raises(InputError, match=r"compile is true and train\.strategy fsdp"):
        TrainingSetup(shared, data_dir=data_dir)


@pytest.mark.slow
@pytest.mark.parametrize("more", [(), (STATIC,)])
def test_a_compiled_run_is_the_same(more: tuple[str, ...], data_dir: Path, tmp_path: Path) -> None:
    plain, fast = (
        train(
            "pretrain_multiclass",
            overrides=(*SMALL, "model.form=native", *more, *extra),
            data_dir=data_dir,
            run_dir=tmp_path / name,
        )
        for name, extra in (("plain", ()), ("fast", ("train.compile=true",)))
    )
    for name in ("train/loss", "val/loss", "val/auc"):
        np.testing.assert_allclose(fast.history[name], plain.history[name], rtol=0, atol=1e-5)
    assert fast.objective.state_dict().keys() == plain.objective.state_dict().keys()
