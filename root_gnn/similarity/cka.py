"""Centred kernel alignment: how alike two representations of the same events are, in [0, 1] up to noise.

Kornblith et al. 2019, arXiv:1905.00414. CKA(X, Y) = D(X, Y) / sqrt(D(X, X) D(Y, Y)) with a measure of dependence D. It
does not change under rotations and reflections of the features or a common scale; it does under a general linear map.

| estimator | D | |
|---|---|---|
| `debiased_linear` | unbiased HSIC_1 in feature space | default; zero on average for independent features |
| `biased_linear` | HSIC_0 in feature space | 0.38 for independent Gaussians of 100 events and 64 features |
| `biased_gram` | the same number from n x n matrices | as in Ho et al. 2024, arXiv:2412.10665; at most 5000 events |
| `debiased_rbf` | unbiased HSIC_1 of Gaussian kernels | sees relations that are not linear; at most 5000 events |

The debiased estimators may be slightly negative. Debiasing: Nguyen, Raghu, Kornblith 2021, arXiv:2010.15327, after Song
et al. 2012.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np

from root_gnn.errors import InputError, suggest
from root_gnn.similarity.gram import GramView
from root_gnn.similarity.linear import LinearView
from root_gnn.similarity.representation import as_matrix, check_rows
from root_gnn.similarity.streaming import LinearCKA
from root_gnn.similarity.view import View
from root_gnn.typing import Floats

__all__ = ["CKAResult", "Estimator", "LayerMatrix", "LinearCKA", "cka", "cka_with_error", "layer_matrix"]

Estimator = Literal["debiased_linear", "biased_linear", "biased_gram", "debiased_rbf"]
ESTIMATORS = ("debiased_linear", "biased_linear", "biased_gram", "debiased_rbf")
NULL_LEVEL = 0.95
ROUNDING = 1e-12
Cell: TypeAlias = float | None


class CKAResult(NamedTuple):
    """CKA with its error and the level of unrelated representations.

    Attributes:
        value: CKA.
        error: 68 % error over events.
        null: the level that 95 % of unrelated representations stay below.
        null_mean: the mean of unrelated representations.
    """

    value: float
    error: float
    null: float
    null_mean: float


class LayerMatrix(NamedTuple):
    """CKA of every layer of one model with every layer of another, `(n_layer_a, n_layer_b)` each.

    Entries are None where a layer is constant.
    """

    layers_a: tuple[str, ...]
    layers_b: tuple[str, ...]
    value: list[list[Cell]]
    error: list[list[Cell]]
    null: list[list[Cell]]


def cka(x: Any, y: Any, *, estimator: Estimator = "debiased_linear") -> float:
    """Computes the CKA of `x (n_event, p)` and `y (n_event, q)`, numpy or torch, whose rows are the same events.

    A constant feature adds nothing.

    Raises:
        InputError: for fewer than four events, rows that don't match, entries that are not finite, and a representation
            that is the same for all events (or all but one), of which CKA is not defined.
    """
    first, second = _views(x, y, estimator)
    return first.dependence(second) / math.sqrt(_spread(first, "x") * _spread(second, "y"))


def cka_with_error(
    x: Any,
    y: Any,
    *,
    estimator: Estimator = "debiased_linear",
    n_permutation: int = 50,
    seed: int = 1,
) -> CKAResult:
    """Computes the CKA of two representations, its error, and the level of unrelated representations.

    Error: each event adds a term to D(X, Y), D(X, X) and D(Y, Y). Its influence on CKA follows from the three, and the
    root of the summed squares is, to first order, the spread of a Poisson bootstrap over events with many replicas
    (infinitesimal jackknife, Efron 1982). Repeating events instead would bring back the bias that debiasing removes.
    Near zero CKA the error is too large, by up to sqrt(2).

    Args:
        x: one representation, `(n_event, p)`.
        y: the other, `(n_event, q)`.
        estimator: one of the table of the module.
        n_permutation: how often the events of `y` are put in random order for the level of unrelated representations.
        seed: seed of these orders.

    Raises:
        InputError: as `cka` does.
    """
    first, second = _views(x, y, estimator)
    spread = _spread(first, "x"), _spread(second, "y")
    own = first.terms(first), second.terms(second)
    value, error = _value_and_error(first, second, spread, own)
    null = _null([first], [second], n_permutation=n_permutation, seed=seed)[:, 0, 0] / math.sqrt(spread[0] * spread[1])
    return CKAResult(value, error, float(np.quantile(null, NULL_LEVEL)), float(np.mean(null)))


def layer_matrix(
    layers_a: Mapping[str, Any],
    layers_b: Mapping[str, Any],
    *,
    estimator: Estimator = "debiased_linear",
    n_permutation: int = 50,
    seed: int = 1,
) -> LayerMatrix:
    """Computes `cka_with_error` for every pair of layers of two models on the same events.

    A layer that is the same for all events gets None in its row or column. All pairs share the same permutations.

    Args:
        layers_a: arrays or tensors `(n_event, dim)` by name.
        layers_b: those of the other model.
        estimator: one of the table of the module.
        n_permutation: random orders of the events for the level of unrelated representations.
        seed: seed of these orders.

    Raises:
        InputError: as `cka` does, but for constant layers.
    """
    a, b = _named_views(layers_a, estimator), _named_views(layers_b, estimator)
    sizes = {view.n_event for view in (*a.values(), *b.values())}
    check_rows(min(sizes), max(sizes))
    spread_a, spread_b = {k: _spread_or_none(v) for k, v in a.items()}, {k: _spread_or_none(v) for k, v in b.items()}
    # What belongs to one layer is computed once, not for each of its pairs.
    own_a, own_b = {k: v.terms(v) for k, v in a.items()}, {k: v.terms(v) for k, v in b.items()}
    nulls = np.quantile(
        _null(list(a.values()), list(b.values()), n_permutation=n_permutation, seed=seed), NULL_LEVEL, axis=0
    )
    result = LayerMatrix(tuple(a), tuple(b), [], [], [])
    for row, one in enumerate(a):
        cells: list[tuple[Cell, Cell, Cell]] = []
        for column, other in enumerate(b):
            first, second = spread_a[one], spread_b[other]
            if first is None or second is None:
                cells.append((None, None, None))
                continue
            value, error = _value_and_error(a[one], b[other], (first, second), (own_a[one], own_b[other]))
            cells.append((value, error, float(nulls[row, column]) / math.sqrt(first * second)))
        for matrix, entries in zip(result[2:], zip(*cells, strict=True), strict=True):
            matrix.append(list(entries))
    return result


def _views(x: Any, y: Any, estimator: Estimator) -> tuple[View, View]:
    first, second = as_matrix(x, "x"), as_matrix(y, "y")
    check_rows(len(first), len(second))
    return _view(first, estimator), _view(second, estimator)


def _named_views(layers: Mapping[str, Any], estimator: Estimator) -> dict[str, View]:
    if not layers:
        raise InputError(
            "A comparison layer by layer needs at least one layer of each model, and one of them has none."
        )
    matrices = {name: as_matrix(values, name) for name, values in layers.items()}
    for matrix in matrices.values():
        check_rows(len(matrix), len(matrix))
    return {name: _view(matrix, estimator) for name, matrix in matrices.items()}


def _view(matrix: Floats, estimator: Estimator) -> View:
    if estimator in ("debiased_linear", "biased_linear"):
        return LinearView.of(matrix, is_debiased=estimator == "debiased_linear")
    if estimator == "biased_gram":
        return GramView.linear(matrix)
    if estimator == "debiased_rbf":
        return GramView.rbf(matrix)
    raise InputError(f"There is no CKA estimator {estimator}{suggest(estimator, ESTIMATORS)}")


def _spread(view: View, name: str) -> float:
    """Returns D(X, X), which is positive unless the representation is constant."""
    found = _spread_or_none(view)
    if found is None:
        raise InputError(
            f"The representation {name} is the same for (nearly) all {view.n_event} events; CKA is not defined. "
            "A layer that has collapsed, or an input that is constant, looks like this."
        )
    return found


def _spread_or_none(view: View) -> float | None:
    found = view.dependence(view)
    return found if found > ROUNDING * view.scale**2 else None


def _value_and_error(
    first: View, second: View, spread: tuple[float, float], own: tuple[Floats, Floats]
) -> tuple[float, float]:
    """Computes CKA and its error from D(X, X) and D(Y, Y) in `spread` and their terms per event in `own`."""
    norm = math.sqrt(spread[0] * spread[1])
    terms = first.terms(second) / norm
    value = float(terms.sum())
    pulls = 2.0 * terms - value * (own[0] / spread[0] + own[1] / spread[1])
    return value, float(np.sqrt(np.sum(pulls**2)))


def _null(first: Sequence[View], second: Sequence[View], *, n_permutation: int, seed: int) -> Floats:
    """Computes D of every pair with the events of the second in random order: `(n_permutation, n_first, n_second)`."""
    generator = np.random.default_rng(seed)
    found = np.empty((n_permutation, len(first), len(second)))
    for table in found:
        order = generator.permutation(second[0].n_event)
        for column, other in enumerate(second):
            shuffled = other.permuted(order)
            table[:, column] = [one.dependence(shuffled) for one in first]
    return found
