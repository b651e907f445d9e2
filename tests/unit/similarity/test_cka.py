from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
import torch

from root_gnn.errors import InputError
from root_gnn.similarity.cka import ESTIMATORS, cka, cka_with_error, layer_matrix
from root_gnn.similarity.representation import centred


def related(seed=0, n=120, p=12, q=7, mix=0.5):
    generator = np.random.default_rng(seed)
    x = generator.normal(size=(n, p)) * np.linspace(0.2, 2.0, p) + 3.0
    y = mix * x[:, :q] @ generator.normal(size=(q, q)) + generator.normal(size=(n, q))
    return x, y


def hsic_0(k, l):  # noqa: E741 the letters of the papers
    h = np.eye(len(k)) - 1.0 / len(k)
    return np.trace(k @ h @ l @ h)


def hsic_1(k, l):  # noqa: E741
    n, ones = len(k), np.ones(len(k))
    k, l = k - np.diag(np.diag(k)), l - np.diag(np.diag(l))  # noqa: E741
    mixed = (ones @ k @ ones) * (ones @ l @ ones) / ((n - 1) * (n - 2))
    return (np.trace(k @ l) + mixed - 2.0 / (n - 2) * ones @ k @ l @ ones) / (n * (n - 3))


def ratio(hsic, k, l):  # noqa: E741
    return hsic(k, l) / math.sqrt(hsic(k, k) * hsic(l, l))


def gaussian(x, width=0.4):
    distances = np.linalg.norm(x[:, None] - x, axis=2)
    sigma = width * np.median(distances[np.triu_indices(len(x), 1)])
    return np.exp(-(distances**2) / (2 * sigma**2))


def test_debiased_equals_the_kernel_formula_of_song_and_nguyen():
    x, y = related()
    assert cka(x, y) == pytest.approx(ratio(hsic_1, x @ x.T, y @ y.T), abs=1e-12)


@pytest.mark.parametrize("n", [1000, 1_000_000])
def test_a_constant_feature_is_zero_however_many_events_there_are(n):
    matrix = np.stack([np.full(n, 0.1), np.full(n, 0.1) + 1e-6 * np.arange(n) / n], axis=1)
    found = centred(matrix)
    assert not found[:, 0].any()
    np.testing.assert_allclose(found[:, 1], matrix[:, 1] - matrix[:, 1].mean(), atol=1e-11)


@pytest.mark.parametrize("estimator", ["biased_linear", "biased_gram"])
def test_biased_equals_the_doubly_centred_form_of_the_talk(estimator):
    x, y = related()
    n = len(x)
    average = np.full((n, n), 1.0 / n)
    k, l = (g - average @ g - g @ average + average @ g @ average for g in (x @ x.T, y @ y.T))  # noqa: E741
    talk = np.sum(k * l) / (np.linalg.norm(k) * np.linalg.norm(l))
    assert cka(x, y, estimator=estimator) == pytest.approx(talk, abs=1e-10)
    assert talk == pytest.approx(ratio(hsic_0, x @ x.T, y @ y.T), abs=1e-10)


def test_rbf_equals_the_kernel_formula():
    x, y = related()
    assert cka(x, y, estimator="debiased_rbf") == pytest.approx(ratio(hsic_1, gaussian(x), gaussian(y)), abs=1e-10)


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_self_rotation_reflection_and_scale_change_nothing_a_linear_map_does(estimator):
    x, y = related()
    generator = np.random.default_rng(1)
    rotation = np.linalg.qr(generator.normal(size=(12, 12)))[0]
    before = cka(x, y, estimator=estimator)
    assert cka(x, x, estimator=estimator) == pytest.approx(1.0, abs=1e-12)
    assert cka(y, x, estimator=estimator) == pytest.approx(before, abs=1e-12)
    assert cka(x @ rotation, y, estimator=estimator) == pytest.approx(before, abs=1e-10)
    assert cka(-7.5 * x + 4.0, y, estimator=estimator) == pytest.approx(before, abs=1e-10)
    assert abs(cka(x @ generator.normal(size=(12, 12)), y, estimator=estimator) - before) > 1e-3


def test_independent_gaussians_are_unrelated_only_when_debiased():
    generator = np.random.default_rng(2)
    pairs = [generator.normal(size=(2, 100, 64)) for _ in range(40)]
    biased = [cka(x, y, estimator="biased_linear") for x, y in pairs]
    unbiased = [cka(x, y) for x, y in pairs]
    assert np.mean(biased) == pytest.approx(0.38, abs=0.02)
    assert abs(np.mean(unbiased)) < 4.0 * np.std(unbiased) / math.sqrt(40)
    quoted = [cka_with_error(x, y, n_permutation=20) for x, y in pairs[:10]]
    assert all(abs(one.value) < 3.0 * one.error and one.value < 2.0 * one.null for one in quoted)


def test_rbf_sees_what_is_not_linear():
    x = np.random.default_rng(3).normal(size=(400, 1))
    y = x**2
    assert abs(cka(x, y)) < 0.1
    assert cka(x, y, estimator="debiased_rbf") > 0.3


def test_order_of_events_is_irrelevant_but_must_match():
    x, y = related(mix=2.0)
    order = np.random.default_rng(4).permutation(len(x))
    assert cka(x[order], y[order]) == pytest.approx(cka(x, y), abs=1e-12)
    assert cka(x[order], y) < 0.5 * cka(x, y)


def test_torch_tensors_are_taken_as_they_are():
    x, y = related()
    tensor = torch.tensor(x, requires_grad=True)
    assert cka(tensor, torch.tensor(y)) == cka(x, y)
    assert cka(torch.tensor(x).float(), y) == pytest.approx(cka(x, y), abs=1e-6)


def test_a_large_offset_loses_no_digits():
    x, y = related()
    assert cka(x + 1e6, y - 1e5) == pytest.approx(cka(x, y), abs=1e-8)


def test_a_constant_feature_adds_nothing():
    x, y = related()
    assert cka(np.column_stack([x, np.full(len(x), 0.1)]), y) == pytest.approx(cka(x, y), abs=1e-12)


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_a_constant_representation_is_refused(estimator):
    _, y = related()
    with pytest.raises(InputError, match="same for"):
        cka(np.full((len(y), 3), 0.1), y, estimator=estimator)
    with pytest.raises(InputError, match="same for"):
        cka_with_error(y, np.zeros((len(y), 3)), estimator=estimator)


def test_one_odd_event_does_not_make_a_debiased_representation():
    _, y = related()
    x = np.zeros((len(y), 1))
    x[3] = 1.0
    with pytest.raises(InputError, match="nearly"):
        cka(x, y)


@pytest.mark.parametrize(
    "x, y, word",
    [
        (np.zeros((3, 2)), np.zeros((3, 2)), "at least four events and got 3"),
        (np.zeros((5, 2)), np.zeros((6, 2)), "got 5 and 6 rows"),
        (np.zeros(5), np.zeros((5, 2)), r"\(n_event, dim\)"),
        (np.full((5, 2), np.nan), np.zeros((5, 2)), "event 0 has entries that are not finite"),
    ],
)
def test_wrong_input_is_explained(x, y, word):
    with pytest.raises(InputError, match=word):
        cka(x, y)


def test_a_wrong_estimator_lists_the_near_ones():
    x, y = related()
    with pytest.raises(InputError, match="debiased_linear"):
        cka(x, y, estimator="debiased_lineal")


def test_kernel_matrices_refuse_too_many_events():
    x = np.zeros((5001, 1))
    with pytest.raises(InputError, match="up to 5000 events"):
        cka(x, x, estimator="biased_gram")


@pytest.mark.parametrize(
    "estimator, mix",
    [
        ("debiased_linear", 0.3),
        ("debiased_linear", 1.0),
        ("biased_linear", 1.0),
        ("debiased_rbf", 1.0),
    ],
)
def test_error_is_the_spread_of_independent_samples(estimator, mix):
    found = []
    generator = np.random.default_rng(5)
    rotation = np.linalg.qr(generator.normal(size=(8, 8)))[0] * np.linspace(0.3, 2.0, 8)
    for _ in range(120):
        x = generator.normal(size=(300, 8))
        found.append(
            cka_with_error(
                x, mix * x @ rotation + generator.normal(size=(300, 8)), estimator=estimator, n_permutation=2
            )
        )
    spread, claimed = np.std([one.value for one in found]), np.mean([one.error for one in found])
    assert 0.8 < spread / claimed < 1.2


def test_error_agrees_with_deleting_blocks():
    x, y = related(n=1000, mix=1.0)
    blocks = np.arange(1000) % 50
    left = np.array([cka(x[blocks != block], y[blocks != block]) for block in range(50)])
    assert cka_with_error(x, y).error == pytest.approx(math.sqrt(49 / 50 * np.sum((left - left.mean()) ** 2)), rel=0.25)


def test_self_similarity_has_no_error():
    x, _ = related()
    assert cka_with_error(x, x).error == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize("estimator", ["debiased_linear", "debiased_rbf"])
def test_null_has_the_exact_spread_of_random_permutations(estimator):
    generator = np.random.default_rng(6)
    x, y = generator.normal(size=(2, 100, 10))
    found = cka_with_error(x, x + 0.1 * y, estimator=estimator, n_permutation=400)
    spread = math.sqrt(
        2.0 / (100 * 97)
    )  # of the permutation distribution, for any features, by counting index patterns
    assert abs(found.null_mean) < 4.0 * spread / 20.0
    assert 1.0 * spread < found.null < 2.6 * spread
    assert found.value > 10.0 * found.null


def test_null_of_the_biased_form_shows_the_bias():
    generator = np.random.default_rng(7)
    x, y = generator.normal(size=(2, 100, 64))
    found = cka_with_error(x, y, estimator="biased_linear")
    assert found.null_mean == pytest.approx(0.38, abs=0.02)
    assert found.value == pytest.approx(found.null_mean, abs=0.03)


def test_layer_matrix_holds_each_pair_with_its_error():
    x, y = related()
    a, b = {"encoder": x, "decoder": y}, {"encoder": x[:, :5], "step 1": y, "decoder": np.hstack([x, y])}
    found = layer_matrix(a, b, n_permutation=30, seed=3)
    assert (found.layers_a, found.layers_b) == (("encoder", "decoder"), ("encoder", "step 1", "decoder"))
    parts: list[Any] = [found.value, found.error, found.null]
    assert [np.shape(part) for part in parts] == [(2, 3)] * 3
    for row, one in enumerate(a.values()):
        for column, other in enumerate(b.values()):
            expected = cka_with_error(one, other, n_permutation=30, seed=3)
            cell = found.value[row][column], found.error[row][column], found.null[row][column]
            assert cell == pytest.approx(expected[:3], abs=1e-10)


def test_a_collapsed_layer_is_null_not_nan():
    x, y = related()
    found = layer_matrix({"good": x, "dead": np.ones_like(x)}, {"good": y}, n_permutation=5)
    assert found.value[1] == found.error[1] == found.null[1] == [None]
    assert found.value[0][0] is not None
    json.dumps(found._asdict(), allow_nan=False)


def test_layers_of_different_events_are_refused():
    x, y = related()
    with pytest.raises(InputError, match="100 and 120 rows"):
        layer_matrix({"a": x}, {"a": y, "b": y[:100]})
    with pytest.raises(InputError, match="at least one layer"):
        layer_matrix({}, {"a": y})
