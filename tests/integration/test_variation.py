"""A systematic variation in evaluation: the run's own events and others with other weights, what is missing told."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import uproot

pytest.importorskip("pythia8mc")
pytest.importorskip("fastjet")

from root_gnn.errors import InputError
from root_gnn.runs.evaluate import evaluate
from root_gnn.runs.train import train
from root_gnn.simulation.simulate import simulate

pytestmark = pytest.mark.pythia
NAME = "weight_fsr_half"


def test_evaluate_with_weights_of_another_shower(tmp_path: Path) -> None:
    data = tmp_path / "data"
    simulate(["WH", "ZH"], events=120, out=data, params={"mpi": "off"}, variations=True)
    run = train(
        "pretrain_multiclass",
        data_dir=data,
        run_dir=tmp_path / "run",
        overrides=(
            "data.classes={WH: WH.root, ZH: ZH.root}",
            "model.dim=8",
            "model.n_steps=1",
            "train.max_epochs=1",
            "train.batch_size=64",
        ),
    )
    nominal = run.metrics["splits"]
    varied = evaluate(run.folder, spec="events_shower", variation=NAME, data_dir=data).metrics["splits"]
    assert varied["test"] == nominal["test"] and set(varied) == {
        "validation",
        "test",
        f"validation_{NAME}",
        f"test_{NAME}",
    }
    assert varied[f"test_{NAME}"]["n_events"] == nominal["test"]["n_events"]
    assert varied[f"test_{NAME}"]["sum_of_weights"] != nominal["test"]["sum_of_weights"]
    plain, other = (pq.read_table(run.folder / "predictions" / f"{name}.parquet") for name in ("test", f"test_{NAME}"))
    assert plain["eventNumber"].equals(other["eventNumber"]) and np.allclose(plain["score_WH"], other["score_WH"])
    weights: dict[int, float] = {}
    for process in ("WH", "ZH"):
        with uproot.open(data / f"{process}.root") as file:
            events = file["Events"].arrays(["eventNumber", NAME], library="np")
        weights |= dict(zip(events["eventNumber"].tolist(), events[NAME].tolist(), strict=True))
    assert np.allclose(other["weight"], [weights[number] for number in other["eventNumber"].to_pylist()])

    files = [f"{name}={data / f'{name}.root'}" for name in ("WH", "ZH")]
    content = evaluate(run.folder, spec="events_shower", files=files, variation="weight_isr_twice").metrics
    assert content["splits"]["files_weight_isr_twice"]["n_events"] == 240
    with pytest.raises(InputError, match="no systematics"):
        evaluate(run.folder, variation=NAME, data_dir=data)
    with pytest.raises(InputError, match=r"no variation weight_fsr.*weight_fsr_half"):
        evaluate(run.folder, spec="events_shower", variation="weight_fsr", data_dir=data)
    old = tmp_path / "old"
    simulate(["WH", "ZH"], events=20, out=old, params={"mpi": "off"})
    with pytest.raises(InputError, match="no branch of this file has the variation"):
        evaluate(
            run.folder,
            spec="events_shower",
            files=[f"{name}={old / f'{name}.root'}" for name in ("WH", "ZH")],
            variation=NAME,
        )
