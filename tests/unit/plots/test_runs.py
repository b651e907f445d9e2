from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from root_gnn import plots
from root_gnn.plots import Interval
from root_gnn.similarity.cka import LayerMatrix, layer_matrix

PNG = b"\x89PNG\r\n\x1a\n"
CLASSES = ("ggF", "VBF", "WH")


def binary(n_event=500, negative=0.15):
    generator = np.random.default_rng(0)
    labels = generator.integers(0, 2, n_event)
    score = 1.0 / (1.0 + np.exp(-generator.normal(size=n_event) - labels))
    return score, labels, np.where(generator.random(n_event) < negative, -1.0, 1.0)


def several(n_event=300):
    generator = np.random.default_rng(1)
    return generator.dirichlet(np.ones(3), n_event), generator.integers(0, 3, n_event)


def drawings():
    score, labels, weights = binary()
    probabilities, truth = several()
    history = {
        "train/loss": [(0, 5, 0.7), (0, 10, 0.6), (1, 15, 0.5)],
        "val/loss": [(0, 10, 0.65)],
        "val/auc": [(0, 10, 0.5)],
    }
    layers = {"encoder": np.random.default_rng(2).normal(size=(50, 4)), "dead": np.ones((50, 2))}
    intervals = {"scratch": Interval(0.55, 0.54, 0.57), "finetuned": Interval(0.65, 0.64, 0.66)}
    edges, shares = np.linspace(1.0, 100.0, 5), {"a": np.full(4, 0.25), "b": np.array([0.7, 0.3, 0.0, 0.0])}
    panels = [
        plots.Distribution("pt [GeV]", edges, shares, "log"),
        plots.Distribution("eta", edges, {"a": shares["a"]}),
    ]
    x = np.linspace(0.1, 1.0, 10)
    band = plots.Band(x, 2.0 / x, 1.8 / x, 2.3 / x)
    seeds = [
        (np.arange(1.0, 4.0), np.array([0.5, 0.6, 0.6])),
        (np.arange(1.0, 6.0), np.array([0.5, 0.55, 0.6, 0.62, 0.6])),
    ]
    sizes = {"a": {100: intervals["scratch"], 1000: intervals["finetuned"]}, "b": {100: intervals["finetuned"]}}
    gains = {"b": {100: Interval(0.1, 0.08, 0.12)}}
    return {
        "training size with gains": lambda path: plots.training_size(sizes, path, gains=gains, log=True),
        "learning": lambda path: plots.learning({"Epoch": {"a": seeds}, "Training time [s]": {"a": seeds}}, path),
        "ROC with bands": lambda path: plots.roc_bands({"a": band, "b": band}, path, reference="a"),
        "calibration": lambda path: plots.calibration({"a": plots.Band(x, x, x - 0.1, x + 0.1)}, path),
        "cost": lambda path: plots.cost({"a": band, "b": band}, path),
        "importance": lambda path: plots.importance(
            {"a": {"jet": Interval(0.1, 0.05, 0.15)}}, path, quantity="Loss of AUC"
        ),
        "embeddings": lambda path: plots.embeddings(
            {"a": probabilities[:, :2]}, truth, CLASSES, path, axis_names=("1", "2")
        ),
        "roc": lambda path: plots.roc({"a": (score, labels, weights), "b": (-score, labels, None)}, path),
        "scores": lambda path: plots.scores(np.stack([1 - score, score], axis=1), labels, weights, ("ZH", "WH"), path),
        "scores of three": lambda path: plots.scores(probabilities, truth, None, CLASSES, path),
        "confusion": lambda path: plots.confusion(probabilities, truth, None, CLASSES, path),
        "learning curves": lambda path: plots.learning_curves(history, path),
        "similarity": lambda path: plots.similarity([("a", "b", layer_matrix(layers, layers, n_permutation=3))], path),
        "embedding": lambda path: plots.embedding(probabilities[:, :2], truth, CLASSES, path),
        "training size": lambda path: plots.training_size(
            {"a": {1000: intervals["scratch"], 100: intervals["finetuned"]}}, path
        ),
        "distributions": lambda path: plots.distributions(panels, path),
        "comparison": lambda path: plots.comparison({"WHvsZH": intervals, "FCNC": intervals}, path),
    }


@pytest.mark.parametrize("name", drawings())
def test_writes_one_png_and_the_same_again(name, tmp_path):
    draw = drawings()[name]
    draw(tmp_path / "one.png")
    first = (tmp_path / "one.png").read_bytes()
    assert first.startswith(PNG)
    assert [file.name for file in tmp_path.iterdir()] == ["one.png"]
    draw(tmp_path / "two.png")
    assert (tmp_path / "two.png").read_bytes() == first


@pytest.mark.parametrize("name", ["training size with gains", "embeddings"])
def test_writes_one_svg_and_the_same_again_without_background(name, tmp_path):
    draw = drawings()[name]
    draw(tmp_path / "one.svg")
    draw(tmp_path / "two.svg")
    text = (tmp_path / "one.svg").read_text()
    assert "<svg" in text and "<dc:date>" not in text and text == (tmp_path / "two.svg").read_text()


def test_pyplot_with_its_global_state_is_not_used():
    files = list(Path(plots.__file__).parent.glob("*.py"))
    assert len(files) > 2 and not any("pyplot" in file.read_text(encoding="utf-8") for file in files)


def test_distributions_are_shares_on_readable_axes(figures, tmp_path):
    edges = np.geomspace(20.0, 1000.0, 4)
    panels = [
        plots.Distribution("pt [GeV]", edges, {"a": np.array([0.5, 0.3, 0.2]), "b": np.array([0.1, 0.1, 0.8])}, "log"),
        plots.Distribution("number", np.array([-0.5, 0.5, 1.5]), {"b": np.array([0.4, 0.6])}, "whole"),
    ]
    plots.distributions(panels, tmp_path / "inputs.png")
    logarithmic, whole = figures[0].axes
    assert [patch.get_data().values.tolist() for patch in logarithmic.patches] == [[0.5, 0.3, 0.2], [0.1, 0.1, 0.8]]
    assert [label.get_text() for label in logarithmic.get_xticklabels()] == ["20", "50", "100", "200", "500", "1000"]
    assert logarithmic.get_ylim()[0] == 0.0
    assert (
        whole.patches[0].get_linestyle()
        == logarithmic.patches[1].get_linestyle()
        != logarithmic.patches[0].get_linestyle()
    )
    assert [text.get_text() for text in figures[0].legends[0].get_texts()] == ["a", "b"]


def test_roc_shows_the_rejection_of_each_cut_and_the_auc(figures, tmp_path):
    score, labels, weights = binary()
    plots.roc({"net": (score, labels, weights)}, tmp_path / "roc.png")
    line, guess = figures[0].axes[0].lines
    assert line.get_label().startswith("net, AUC 0.7")
    assert "±" in line.get_label()
    np.testing.assert_allclose(np.prod(guess.get_data(), axis=0), 1.0)
    assert line.get_ydata()[-1] == pytest.approx(1.0, abs=0.05)
    assert figures[0].axes[0].get_yscale() == "log"


def test_roc_of_one_class_is_an_empty_curve_not_an_error(tmp_path):
    plots.roc({"only signal": ([0.1, 0.2], [1, 1], None)}, tmp_path / "roc.png")
    assert (tmp_path / "roc.png").exists()


def test_score_distributions_sum_to_one_and_keep_the_sign(figures, tmp_path):
    score = np.concatenate([np.full(10, 0.2), np.full(4, 0.8), np.linspace(0.0, 1.0, 20)])
    labels = np.repeat([0, 0, 1], [10, 4, 20])
    weights = np.repeat([1.0, -1.0, 1.0], [10, 4, 20])
    plots.scores(np.stack([1 - score, score], axis=1), labels, weights, ("ZH", "WH"), tmp_path / "scores.png")
    background, signal = (patch.get_data().values for patch in figures[0].axes[0].patches)
    assert background.sum() == pytest.approx(1.0)
    assert signal.sum() == pytest.approx(1.0)
    assert background.min() == pytest.approx(-4.0 / 6.0)


def test_scores_without_a_class_or_without_events_are_drawn(figures, tmp_path):
    plots.scores([[0.4, 0.6]], [1], None, ("ZH", "WH"), tmp_path / "one.png")
    plots.scores(np.zeros((0, 2)), [], None, ("ZH", "WH"), tmp_path / "none.png")
    assert [len(figure.axes[0].patches) for figure in figures] == [1, 0]


def test_learning_curves_average_an_epoch_and_count_from_one(figures, tmp_path):
    plots.learning_curves(
        {"train/loss": [(0, 5, 0.7), (0, 10, 0.5), (1, 15, 0.4)], "val/auc": [(0, 10, 0.6)]}, tmp_path / "curves.png"
    )
    loss, quality = figures[0].axes
    np.testing.assert_allclose(loss.lines[0].get_data(), [[1, 2], [0.6, 0.4]])
    np.testing.assert_allclose(quality.lines[0].get_data(), [[1], [0.6]])
    plots.learning_curves({}, tmp_path / "empty.png")
    assert len(figures[1].axes) == 1


def test_similarity_prints_value_error_and_null(figures, tmp_path):
    matrix = LayerMatrix(("encoder", "decoder"), ("encoder",), [[0.5], [None]], [[0.0123], [None]], [[0.004], [None]])
    plots.similarity([("scratch", "finetuned", matrix)], tmp_path / "cka.png")
    axes = figures[0].axes[0]
    assert [text.get_text() for text in axes.texts] == ["0.500\n±0.012"]
    assert "null level 0.004" in axes.get_xlabel()
    assert [label.get_text() for label in axes.get_yticklabels()] == ["encoder", "decoder"]
