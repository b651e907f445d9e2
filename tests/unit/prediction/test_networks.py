"""Networks that score together."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from root_gnn.errors import InputError
from root_gnn.prediction.networks import Networks
from root_gnn.runs.run import Run


def test_several_seeds_are_averaged(seeds: list[Run], ntuples: Path) -> None:
    table = seeds[0].table(ntuples)
    alone = [Networks.of([run]).on(table).mean for run in seeds[:2]]
    both = Networks.of(seeds[:2]).on(table)
    np.testing.assert_allclose(both.mean, (alone[0] + alone[1]) / 2, rtol=1e-12)
    assert both.spread is not None
    np.testing.assert_allclose(both.spread, abs(alone[0] - alone[1]) / np.sqrt(2), rtol=1e-9, atol=1e-12)


def test_a_run_twice_and_embeddings_of_two_are_refused(seeds: list[Run]) -> None:
    with pytest.raises(InputError, match="is named twice"):
        Networks.of([seeds[0], seeds[0]])
    with pytest.raises(InputError, match="--embeddings are of one network"):
        Networks.of(seeds[:2]).check(embeddings=True)
