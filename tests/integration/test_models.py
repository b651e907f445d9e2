"""Every encoder and every head trains: on simulated events, and on simulated jets."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from root_gnn.config.plugins import names
from root_gnn.errors import MissingExtraError
from root_gnn.runs.train import check, train

DATA = {
    "events": ("data.spec=events.yaml", "data.classes={WH: WH.root, ZH: ZH.root}", "data.augmentations=[]"),
    "jets": ("data.spec=jetclass.yaml", "data.classes={QCD: QCD.root, Tbqq: Tbqq.root}", "data.augmentations=[]"),
}
COORDINATES = {"events": "event", "jets": "jet"}
WITHOUT_COORDINATES = {"encode_process_decode"}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory, data_dir: Path) -> Path:
    """A copy, so that caches are not written beside the fixtures."""
    folder = tmp_path_factory.mktemp("data")
    for path in data_dir.glob("*.root"):
        shutil.copy(path, folder)
    return folder


def model_of(name: str, level: str) -> str:
    coordinates = "" if name in WITHOUT_COORDINATES else f", coordinates: {COORDINATES[level]}"
    return f"model={{name: {name}{coordinates}}}"


@pytest.mark.parametrize("level", DATA)
@pytest.mark.parametrize("name", names("models"))
def test_every_encoder_takes_a_step(name: str, level: str, data: Path) -> None:
    try:
        told = check(
            "pretrain_multiclass", overrides=(*DATA[level], model_of(name, level), "train.batch_size=16"), data_dir=data
        )
    except MissingExtraError as error:
        pytest.skip(str(error))
    assert "first loss" in told


@pytest.mark.parametrize("head", names("heads"))
def test_every_head_takes_a_step(head: str, data: Path) -> None:
    overrides = (
        *DATA["jets"],
        model_of("deep_sets", "jets"),
        f"objective={{name: multiclass, head: {head}}}",
        "train.batch_size=16",
    )
    assert "first loss" in check("pretrain_multiclass", overrides=overrides, data_dir=data)


def test_a_particle_transformer_learns_jets(data: Path, tmp_path: Path) -> None:
    """A few epochs on the jets of the fixtures, and what was trained is read back from its folder."""
    model = (
        "model={name: particle_transformer, dim: 16, n_head: 2, n_block: 1, embedding: [16], pair_hidden: [8], "
        "dropout: 0.0}"
    )
    overrides = (*DATA["jets"], model, "train.max_epochs=2", "train.batch_size=32")
    run = train("pretrain_multiclass", overrides=overrides, data_dir=data, run_dir=tmp_path / "run")
    assert 0.0 < run.metrics["splits"]["test"]["auc"] <= 1.0
    assert type(run.encoder).__name__ == "ParticleTransformer"
