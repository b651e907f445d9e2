"""Every jet recipe on jets that experiments simulated, with constituents, and on the layout of the Top Tagging
reference set.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch

from root_gnn.data.events.loader import evaluation_loader
from root_gnn.errors import InputError
from root_gnn.runs.run import Run
from root_gnn.runs.train import check, train
from root_gnn.simulation.top_tagging import write_top_tagging

SMALL = "dim: 16, n_head: 2, n_block: 1, embedding: [16], dropout: 0.0"
PARTICLES = f"model={{name: particle_transformer, coordinates: jet, {SMALL}, pair_hidden: [8]}}"
SUBJETS = "model={name: subjet_transformer, coordinates: jet, dim: 16, n_head: 2, n_block: 1, dropout: 0.0}"
STEPS = ("train.max_steps=3", "train.batch_size=16", "train.log_every=1", "optim.warmup=0")
UNLABELLED = (
    "pretrain_jetclr",
    "pretrain_pjepa",
    "pretrain_jjepa",
    "pretrain_mpm",
    "pretrain_contrastive",
    "pretrain_vicreg",
)
LAYOUTS = {
    "nanoaod": ("cms_nanoaod_v15_fatjets", "nanoaod/nano_tt_v15.root"),
    "jetclass": ("jetclass", "standin/standin_jetclass_layout_ak8.root"),
    "toptagging": ("top_tagging", "standin/standin_toptag_layout_a.h5"),
}


@pytest.fixture(scope="module")
def files(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Copies, so that caches are not written beside the files."""
    folder = tmp_path_factory.mktemp("data")
    for _, name in LAYOUTS.values():
        shutil.copy(real_data / name, folder)
    return folder


@pytest.fixture(scope="module")
def simulated(data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Our own jets as `simulate --top-tagging` writes them."""
    path = tmp_path_factory.mktemp("data") / "top.h5"
    write_top_tagging(path, [data_dir / "QCD.root", data_dir / "Tbqq.root"], seed=1)
    return path


def settings(recipe: str, spec: str, file: str) -> tuple[str, ...]:
    """The recipe on another file, as the documentation says: its data section replaced."""
    if recipe == "pretrain_jjepa":
        pytest.importorskip("fastjet")
    half = ("train.precision=bf16",) if recipe == "pretrain_jetclr" else ()  # for which its optimiser is set
    return (
        f"data={{spec: {spec}, files: [{file}]}}",
        SUBJETS if recipe == "pretrain_jjepa" else PARTICLES,
        *STEPS,
        *half,
    )


@pytest.mark.parametrize("recipe", [*UNLABELLED, "pretrain_constituent_types"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_recipe_without_labels_trains_on_real_jets(layout: str, recipe: str, files: Path, tmp_path: Path) -> None:
    spec, name = LAYOUTS[layout]
    overrides = settings(recipe, spec, Path(name).name)
    if (recipe, layout) == ("pretrain_constituent_types", "toptagging"):
        with pytest.raises(InputError, match="columns such as isPhoton"):  # momenta are all there is
            check(recipe, overrides=overrides, data_dir=files)
        return
    check_run(train(recipe, overrides=overrides, data_dir=files, run_dir=tmp_path / "run"), files)


def check_run(run: Run, data_dir: Path) -> None:
    """Three steps with finite losses and gradients, and an encoder whose answers are finite and differ from jet to
    jet.
    """
    losses, gradients = run.history["train/loss"][:, 2], run.history["train/grad_norm"][:, 2]
    assert len(losses) == 3 and np.isfinite(losses).all() and (gradients > 0.0).all()
    table = run.table(data_dir)
    batch = next(iter(evaluation_loader(table, np.arange(len(table)), 32)))
    with torch.inference_mode():
        z = run.encoder(batch).globals
    assert (
        z.shape == (batch.n_graph, run.encoder.dim) and bool(torch.isfinite(z).all()) and bool((z.std(0) > 0.0).any())
    )


@pytest.mark.parametrize("recipe", ["pretrain_pjepa", "pretrain_jetclr", "pretrain_multiclass"])
def test_a_recipe_trains_on_our_own_top_tagging_file(recipe: str, simulated: Path, tmp_path: Path) -> None:
    overrides = settings(recipe, "top_tagging", simulated.name)
    run = train(
        recipe, overrides=(*overrides, "data.split.by=branch"), data_dir=simulated.parent, run_dir=tmp_path / "run"
    )
    check_run(run, simulated.parent)
    with h5py.File(simulated) as file:
        usage = file["table/table"]["values_block_1"][:, 0]
    assert run.plan["events"] == {
        "train": (usage == 0).sum(),
        "test": (usage == 1).sum(),
        "validation": (usage == 2).sum(),
    }


def test_supervised_pretraining_on_real_top_tagging_labels(files: Path, tmp_path: Path) -> None:
    spec, name = LAYOUTS["toptagging"]
    overrides = settings("pretrain_multiclass", spec, Path(name).name)
    run = train("pretrain_multiclass", overrides=overrides, data_dir=files, run_dir=tmp_path / "run")
    check_run(run, files)
    assert run.metrics["splits"]["test"]["n_events"] == run.plan["events"]["test"] > 0
