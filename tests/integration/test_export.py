"""`root-gnn export`: a run as one file that others score with, and nothing left behind where it would score
otherwise.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import uproot
from numpy.typing import NDArray

from root_gnn.data.reading.graphs import build_graphs
from root_gnn.data.reading.read import read
from root_gnn.errors import InputError
from root_gnn.export import parity
from root_gnn.export.card import Exported
from root_gnn.export.export import export
from root_gnn.prediction.predict import predict
from root_gnn.runs.run import Run
from root_gnn.runs.train import train

ort = pytest.importorskip("onnxruntime", reason="the extra onnx is not installed")
pytest.importorskip("onnxscript", reason="the extra onnx is not installed")

Floats = NDArray[np.float64]
EXAMPLE = Path(__file__).parents[2] / "examples" / "scores_in_cpp"
SMALL = (
    "data.classes={WH: WH.root, ZH: ZH.root}",
    "data.max_events=200",
    "train.max_epochs=1",
    "train.max_steps=2",
    "train.batch_size=64",
    "model={name: deep_sets, dim: 8, coordinates: event}",
)


@pytest.fixture(scope="module")
def run(data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    return train(
        "pretrain_multiclass", overrides=SMALL, data_dir=data_dir, run_dir=tmp_path_factory.mktemp("runs") / "first"
    )


@pytest.fixture(scope="module")
def made(run: Run, data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Exported:
    return export(run, out=tmp_path_factory.mktemp("out") / "model.onnx", data_dir=data_dir)


def test_the_file_says_what_goes_in_and_comes_out(made: Exported, run: Run) -> None:
    session = ort.InferenceSession(made.path, providers=["CPUExecutionProvider"])
    facts = session.get_modelmeta().custom_metadata_map
    assert facts == dict(made.metadata)
    assert facts["classes"] == "WH,ZH" and facts["node_features"].split(",")[:4] == ["pt", "eta", "phi", "energy"]
    assert facts["node_units"].split(",")[:4] == ["GeV", "", "rad", "GeV"] and "met=4" in facts["node_types"].split(",")
    assert [(one.name, one.shape) for one in session.get_inputs()] == [
        ("nodes", ["total_node", 7]),
        ("n_node", ["n_graph"]),
    ]
    assert [(one.name, one.shape) for one in session.get_outputs()] == [("probabilities", ["n_graph", 2])]
    assert set(made.differences) >= {
        "the largest events",
        "one event alone",
        "events with one node",
        "events without nodes",
    }
    assert max(made.differences.values()) < 1e-5


def test_the_python_example_scores_a_file_as_predict_does(
    made: Exported, run: Run, data_dir: Path, tmp_path: Path
) -> None:
    head, rows = python_example(made, data_dir / "WH.root")
    (scores,) = predict(run, [data_dir / "WH.root"], out=tmp_path)
    with uproot.open(scores) as file:
        expected = file["scores"].arrays(["score_WH", "score_ZH"], library="np", entry_stop=10)
    assert head == ["entry", "WH", "ZH"]
    np.testing.assert_allclose(rows, np.stack(list(expected.values()), axis=1), atol=1e-5, rtol=0)


def python_example(made: Exported, path: Path) -> tuple[list[str], Floats]:
    """What `onnx_scores.py` prints: the words of the first line, and the scores of the first ten events."""
    done = subprocess.run(
        [sys.executable, EXAMPLE / "onnx_scores.py", made.path, path], capture_output=True, text=True, check=True
    )
    return table(done.stdout)


def table(text: str) -> tuple[list[str], Floats]:
    """The head of a table, and its rows without the first column."""
    head, *rows = [line.split() for line in text.splitlines()]
    return head, np.array(rows, dtype=float)[:, 1:]


def cpp_example(folder: Path) -> Path:
    """`onnx_scores.cpp`, built with the headers in ONNXRUNTIME_HOME (or installed) and the library there, else that of
    the wheel.
    """
    place = Path(os.environ.get("ONNXRUNTIME_HOME", sys.prefix))
    installed = (found for base in (place, Path("/usr")) for found in base.glob("include/**/onnxruntime_cxx_api.h"))
    header = next(installed, None)
    compiler = shutil.which("g++")
    if header is None or compiler is None:
        pytest.skip("no C++ headers of onnxruntime (ONNXRUNTIME_HOME) or no compiler")
    found = [*place.glob("lib/libonnxruntime.so"), *Path(ort.__file__).parent.glob("capi/libonnxruntime.so.*")][0]
    for name in ("libonnxruntime.so", "libonnxruntime.so.1"):
        (folder / name).symlink_to(found.resolve())
    subprocess.run(
        [
            compiler,
            "-std=c++17",
            EXAMPLE / "onnx_scores.cpp",
            f"-I{header.parent}",
            f"-L{folder}",
            f"-Wl,-rpath,{folder}",
            "-lonnxruntime",
            "-o",
            folder / "onnx_scores",
        ],
        check=True,
    )
    return folder / "onnx_scores"


def test_the_cpp_example_gives_the_same_numbers(made: Exported, run: Run, data_dir: Path, tmp_path: Path) -> None:
    program = cpp_example(tmp_path)
    batch = build_graphs(read(data_dir / "WH.root", run.spec, stop=10), run.spec)
    events = [batch.nodes[batch.graph_index == graph].tolist() for graph in range(batch.n_graph)]
    text = "\n".join("".join(" ".join(map(repr, row)) + "\n" for row in rows) for rows in events)
    done = subprocess.run([program, made.path], input=text, capture_output=True, text=True, check=True)
    head, said = table(done.stdout)
    assert head == ["entry", "WH,ZH"] and said.shape == (10, 2)
    np.testing.assert_allclose(said, parity.reference(run, batch), atol=1e-5, rtol=0)
    np.testing.assert_allclose(said, python_example(made, data_dir / "WH.root")[1], atol=1e-6, rtol=0)


def test_the_card_tells_data_metrics_and_limits(made: Exported) -> None:
    text = made.card.read_text(encoding="utf-8")
    for heading in ("Input and output", "Training data", "Metrics", "Limits", "Check against PyTorch", "Versions"):
        assert f"\n## {heading}\n" in text
    assert (
        "Class WH: WH.root" in text
        and "| test | auc |" in text
        and "| 0 | pt | GeV |" in text
        and "probabilities" in text
    )


def test_a_program_of_torch_export_scores_alike(run: Run, made: Exported, data_dir: Path, tmp_path: Path) -> None:
    program = export(run, out=tmp_path / "model.pt2", data_dir=data_dir)
    facts: dict[str, Any] = {"root_gnn.json": ""}
    module = torch.export.load(program.path, extra_files=facts).module()
    batch = parity.samples(run, data_dir)["one event alone"]
    said = module(nodes=batch.nodes, n_node=batch.n_node).detach().numpy()
    np.testing.assert_allclose(said, parity.reference(run, batch), atol=1e-5, rtol=0)
    assert '"classes": "WH,ZH"' in facts["root_gnn.json"]


def test_what_differs_from_pytorch_is_not_kept(
    run: Run,
    data_dir: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    honest = parity.reference
    monkeypatch.setattr(
        parity, "reference", lambda run, batch: honest(run, batch) + (1e-3 if batch.n_graph == 1 else 0.0)
    )
    with pytest.raises(InputError, match=r"differs from PyTorch by 1\.0e-03 on one event alone"):
        export(run, out=tmp_path / "model.pt2", data_dir=data_dir)
    assert list(tmp_path.iterdir()) == []


def test_wrong_wishes_are_told(
    run: Run,
    made: Exported,
    data_dir: Path,
    leave: Callable[..., int],
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert leave("export", str(run.folder), "--out", "model.h5", "--data-dir", str(data_dir)) == 2
    assert "ends in .onnx, or in .pt2" in capsys.readouterr().err
    assert leave("export", str(run.folder), "--out", str(made.path), "--data-dir", str(data_dir)) == 2
    assert "--overwrite" in capsys.readouterr().err
