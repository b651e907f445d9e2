"""CKA of a study's groups beside n x n matrices: between groups, against training size, along the training."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from root_gnn.analysis.cka import drawn, layer_representations
from root_gnn.data.events.splits import split_table
from root_gnn.errors import InputError
from root_gnn.runs.run import Run
from root_gnn.study.cka import along_training, study_similarity

Layers = dict[str, NDArray[np.float32]]


def naive(x: Any, y: Any) -> float:
    """CKA by the unbiased HSIC of Song et al. 2012, from n x n matrices without their diagonals."""

    def hsic(k: Any, other: Any) -> float:
        n = len(k)
        both = k.sum() * other.sum() / ((n - 1) * (n - 2)) - 2.0 * (k.sum(0) @ other.sum(0)) / (n - 2)
        return float((np.sum(k * other) + both) / (n * (n - 3)))

    k, other = (one @ one.T * (1.0 - np.eye(len(one))) for one in (x.astype(np.float64), y.astype(np.float64)))
    return float(hsic(k, other) / np.sqrt(hsic(k, k) * hsic(other, other)))


def networks(n: int, *, own: float) -> list[Layers]:
    """Two layers each of 60 events, alike up to a part of their own."""
    generator = np.random.default_rng(n)
    shared = generator.normal(size=(60, 5))
    return [
        {name: (shared + own * generator.normal(size=(60, 5))).astype(np.float32) for name in ("encoder", "decoder")}
        for _ in range(n)
    ]


def test_cka_between_groups_and_against_training_size() -> None:
    sizes = {}
    for size, own in ((100, 1.0), (1000, 0.3)):
        one, two, deep = networks(3, own=own)
        sizes[size] = {"scratch": [one, two], "deep, finetuned": [deep]}
    found = study_similarity(sizes, {})
    assert found.n_event == 60 and list(found.by_size) == [100, 1000]
    for size, groups in sizes.items():
        (one, two), (deep,) = groups["scratch"], groups["deep, finetuned"]
        assert list(found.by_size[size]) == ["floor", "deep, finetuned"]
        assert found.by_size[size]["floor"][0] == pytest.approx(naive(one["decoder"], two["decoder"]), abs=1e-9)
        assert found.by_size[size]["deep, finetuned"][0] == pytest.approx(
            naive(one["decoder"], deep["decoder"]), abs=1e-9
        )
    matrix = found.pairs["scratch", "deep, finetuned"]
    assert matrix.value[0][1] == pytest.approx(naive(one["encoder"], deep["decoder"]), abs=1e-9), (
        "pairs are those at the largest size"
    )
    assert found.floor is not None and found.floor.value[1][1] == pytest.approx(
        naive(one["decoder"], two["decoder"]), abs=1e-9
    )


def test_one_seed_has_no_floor() -> None:
    one, deep = networks(2, own=0.3)
    found = study_similarity({100: {"scratch": [one], "deep, finetuned": [deep]}}, {})
    assert found.floor is None and list(found.by_size[100]) == ["deep, finetuned"]


def test_cka_along_the_training(seeds: list[Run], ntuples: Path, tmp_path: Path) -> None:
    """Weights of other seeds stand for those after an epoch, so what CKA has to be is known."""
    one, two, three = (Run(Path(shutil.copytree(run.folder, tmp_path / run.name))) for run in seeds)
    for run, epoch, weights in ((one, 10, seeds[0]), (one, 2, seeds[1]), (three, 10, seeds[2])):
        shutil.copy(weights.checkpoint, run.folder / "checkpoints" / f"epoch_{epoch}.ckpt")
    assert one.kept_epochs == (2, 10) and two.kept_epochs == ()
    table = one.table(ntuples)
    index = drawn(split_table(table, one.recipe.data.split).test, 40)
    first, second, third = (layer_representations(run, table, index) for run in seeds)
    answer: Any = SimpleNamespace(members={"scratch": [one, two], "deep, finetuned": [three]})
    found = along_training(answer, table, index, scratch=first)
    assert {epoch: sorted(groups) for epoch, groups in found.items()} == {
        2: ["scratch"],
        10: ["deep, finetuned", "scratch"],
    }
    assert found[10]["scratch"][0] == pytest.approx(1.0)
    for figure, other in ((found[2]["scratch"], second), (found[10]["deep, finetuned"], third)):
        assert figure[0] == pytest.approx(naive(list(first.values())[-1], list(other.values())[-1]), abs=1e-6)
    with pytest.raises(InputError, match="epoch_3"):
        one.objective_after(3)
