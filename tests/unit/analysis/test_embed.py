from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from sklearn.decomposition import PCA

from root_gnn.analysis.embed import Embedding, effective_rank, embed, mean_cosine, pca, reduced
from root_gnn.data.events.splits import split_table
from root_gnn.errors import InputError, MissingExtraError
from root_gnn.runs.run import Run


@pytest.fixture
def z() -> np.ndarray:
    generator = np.random.default_rng(1)
    return generator.normal(size=(200, 6)) @ np.diag([5.0, 3.0, 1.0, 0.5, 0.2, 0.1]) + 4.0


def test_the_file_holds_ids_labels_representations_and_components(one_run: Run, ntuples: Path) -> None:
    run = one_run
    found = embed(run, data_dir=ntuples, events=50)
    columns = pq.read_table(run.folder / "embedding" / "test_pca.parquet").to_pydict()
    assert list(columns) == [*run.spec.id_names, "label", *(f"z_{k}" for k in range(8)), "pca_1", "pca_2"]
    table = run.table(ntuples)
    test = split_table(table, run.recipe.data.split).test
    ids = np.stack([columns[name] for name in run.spec.id_names], axis=1)
    rows = [int(np.flatnonzero((table.ids[:] == one).all(axis=1))[0]) for one in ids]
    assert len(rows) == 50 and rows == sorted(rows) and set(rows) <= set(test)
    assert np.array_equal(columns["label"], table.label[rows])
    assert columns["z_3"] == pytest.approx(found.z[:, 3], rel=1e-6)
    assert (run.folder / "embedding" / "test_pca.png").exists()
    figures = json.loads((run.folder / "embedding" / "test_pca.json").read_text())
    assert (figures["n_events"], figures["method"]) == (50, "pca")
    assert figures["effective_rank"] == found.effective_rank
    assert "effective rank" in str(found)


def test_axes_of_pca_tell_the_share_of_the_variance(z: np.ndarray) -> None:
    components, explained = pca(z)
    found = Embedding(z, components, np.zeros(200, dtype=np.int64), ("a",), "pca", None, None, explained)
    shares = PCA(2).fit(z).explained_variance_ratio_
    assert found.axis_names == (f"PC 1 ({100 * shares[0]:.0f} % of the variance)", f"PC 2 ({100 * shares[1]:.0f} %)")
    assert Embedding(z, components, np.zeros(200, dtype=np.int64), ("a",), "umap", None, None, None).axis_names == (
        "UMAP 1",
        "UMAP 2",
    )


def test_pca_is_that_of_scikit_learn(z: np.ndarray) -> None:
    components, explained = pca(z)
    reference = PCA(2)
    expected = reference.fit_transform(z)
    assert np.abs(components) == pytest.approx(np.abs(expected))
    assert explained == pytest.approx(reference.explained_variance_ratio_.sum())


def test_pca_of_equal_or_one_dimensional_events() -> None:
    components, explained = pca(np.ones((6, 3)))
    assert np.array_equal(components, np.zeros((6, 2))) and explained is None
    components, explained = pca(np.arange(6.0)[:, None])
    assert components[:, 0] == pytest.approx(np.arange(6.0) - 2.5) and np.all(components[:, 1] == 0.0)
    assert explained == pytest.approx(1.0)


def test_mean_cosine_is_the_mean_over_pairs(z: np.ndarray) -> None:
    some = z[:20]
    cosines = [
        np.dot(a, b) / np.linalg.norm(a) / np.linalg.norm(b)
        for i, a in enumerate(some)
        for j, b in enumerate(some)
        if i != j
    ]
    assert mean_cosine(some) == pytest.approx(np.mean(cosines))
    assert mean_cosine(np.ones((5, 3))) == pytest.approx(1.0)
    assert mean_cosine(np.zeros((5, 3))) is None


def test_effective_rank_counts_directions_of_equal_size() -> None:
    axes = np.concatenate([np.eye(8)[:3], -np.eye(8)[:3]])
    assert effective_rank(axes + 100.0) == pytest.approx(3.0)
    assert effective_rank(np.arange(10.0)[:, None] * np.ones(4)) == pytest.approx(1.0)
    assert effective_rank(np.full((10, 4), 0.3)) is None


def test_tsne_keeps_clusters_apart() -> None:
    generator = np.random.default_rng(0)
    z = np.concatenate([generator.normal(0.0, 0.1, (20, 5)), generator.normal(5.0, 0.1, (20, 5))])
    components, explained = reduced(z, "tsne")
    within = np.linalg.norm(components[:20] - components[:20].mean(axis=0), axis=1).max()
    assert np.linalg.norm(components[:20].mean(axis=0) - components[20:].mean(axis=0)) > within
    assert explained is None


def test_umap_is_named_where_it_is_missing(z: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "umap", None)
    with pytest.raises(MissingExtraError, match=r"root_gnn\[embed\]"):
        reduced(z, "umap")


@pytest.mark.filterwarnings("ignore")
@pytest.mark.skipif(importlib.util.find_spec("umap") is None, reason="umap is not installed")
def test_umap_gives_two_components(z: np.ndarray) -> None:
    components, _ = reduced(z, "umap")
    assert components.shape == (200, 2) and np.all(np.isfinite(components))


def test_wrong_method_and_too_few_events(one_run: Run, ntuples: Path) -> None:
    with pytest.raises(InputError, match=r"--method pac: .* did you mean pca"):
        embed(one_run, method="pac", data_dir=ntuples)
    with pytest.raises(InputError, match="at least 5 events"):
        embed(one_run, events=4, data_dir=ntuples)
