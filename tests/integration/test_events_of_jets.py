"""Events with several large jets (arXiv:2401.13536): simulated, a backbone for jets pretrained, and put to events."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import uproot

from root_gnn.runs.train import finetune, train
from root_gnn.simulation.simulate import simulate

SMALL = (
    "model.dim=16",
    "model.n_head=2",
    "model.n_block=1",
    "model.embedding=[16]",
    "model.pair_hidden=[8]",
    "train.batch_size=16",
)


@pytest.mark.slow
@pytest.mark.pythia
def test_a_backbone_for_jets_tells_events_apart(tmp_path: Path) -> None:
    data = tmp_path / "jets"
    simulate(["HH4b", "multijet"], events=40, out=data, seed=1, params={"mpi": "off"}, level="jets")
    simulate(["QCD", "Hbb"], events=40, out=data, seed=2, params={"mpi": "off"}, level="jets")
    spec = "data.spec=jetclass_features.yaml"
    train("pretrain_xbb", overrides=(*SMALL, "train.max_steps=3", spec), data_dir=data, run_dir=tmp_path / "xbb")
    run = finetune(
        "HH4b_features",
        run=tmp_path / "xbb",
        mode="frozen",
        train_events=30,
        data_dir=data,
        run_dir=tmp_path / "frozen",
        overrides=("train.max_epochs=2", "train.batch_size=10"),
    )
    events = {
        name: uproot.open(data / f"{name}.root")["tree"]["eventNumber"].array(library="np")
        for name in ("HH4b", "multijet")
    }
    assert all(len(one) >= 80 and len(np.unique(one)) == 40 for one in events.values()), "two jets an event, or more"
    predictions = pq.read_table(run.folder / "predictions" / "test.parquet").to_pydict()
    written = list(zip(predictions["eventNumber"], predictions["label"], strict=True))
    assert len(set(written)) == len(written) == run.metrics["splits"]["test"]["n_events"], "an event has one score"
    assert all((number in events["HH4b"]) == bool(label) for number, label in written)
    splits = {
        name: len(pq.read_table(run.folder / "predictions" / f"{name}.parquet")) for name in ("validation", "test")
    }
    assert run.plan["events"] == {"train": 30, **splits}
    assert json.loads((run.folder / "plan.json").read_text())["frozen"]
    answers = run.answers("test", data_dir=data)
    np.testing.assert_allclose(answers.probabilities[:, 1], predictions["score_HH4b"])
