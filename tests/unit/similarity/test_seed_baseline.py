from __future__ import annotations

import numpy as np
import pytest

from root_gnn.errors import InputError
from root_gnn.similarity.cka import cka, layer_matrix
from root_gnn.similarity.seed_baseline import seed_baseline


def trainings(n_seed, *, n_event=200):
    """Layers that share a part, and have another one of their own."""
    generator = np.random.default_rng(0)
    shared = generator.normal(size=(n_event, 6))
    return [
        {
            name: shared + noise * generator.normal(size=(n_event, 6))
            for name, noise in (("encoder", 0.3), ("decoder", 1.0))
        }
        for _ in range(n_seed)
    ]


def test_floor_of_two_seeds_is_their_cka_both_ways_round():
    one, two = trainings(2)
    found = seed_baseline([one, two], n_permutation=20)
    assert (found.layers, found.n_pair, found.spread) == (("encoder", "decoder"), 1, [[None, None], [None, None]])
    assert found.value[0][0] == pytest.approx(cka(one["encoder"], two["encoder"]), abs=1e-12)
    assert found.value[0][1] == found.value[1][0]
    assert found.value[0][1] == pytest.approx(
        (cka(one["encoder"], two["decoder"]) + cka(two["encoder"], one["decoder"])) / 2.0, abs=1e-12
    )
    assert found.error[1][1] == pytest.approx(layer_matrix(one, two).error[1][1])
    assert seed_baseline([two, one], n_permutation=20).value == pytest.approx(np.array(found.value))
    assert found.null[0][0] < found.value[1][1] < found.value[0][0] < 1.0


def test_floor_of_more_seeds_is_the_mean_over_pairs():
    three = trainings(3)
    found = seed_baseline(three, n_permutation=5)
    each = [cka(three[a]["decoder"], three[b]["decoder"]) for a, b in ((0, 1), (0, 2), (1, 2))]
    assert found.n_pair == 3
    assert found.value[1][1] == pytest.approx(np.mean(each))
    assert found.spread[1][1] == pytest.approx(np.std(each, ddof=1))


def test_a_collapsed_layer_is_none():
    three = trainings(3)
    three[1] = {**three[1], "decoder": np.zeros((200, 6))}
    found = seed_baseline(three, n_permutation=5)
    assert found.value[1] == found.error[1] == found.spread[1] == [None, None]
    assert found.value[0][0] is not None


def test_what_has_no_floor_is_refused():
    with pytest.raises(InputError, match="two trainings or more"):
        seed_baseline(trainings(1))
    with pytest.raises(InputError, match="encoder, decoder and encoder"):
        seed_baseline([trainings(1)[0], {"encoder": np.zeros((200, 6))}])
