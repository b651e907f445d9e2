"""Pythia settings shared by processes."""

from __future__ import annotations

import numpy as np
import pytest

from root_gnn.simulation.pythia_settings import HADRONIC_W, LEPTONIC_W, TTBAR, several_jets


@pytest.mark.pythia
@pytest.mark.parametrize(("settings", "products"), [(HADRONIC_W, {1, 2, 3, 4, 5}), (LEPTONIC_W, {11, 12, 13, 14})])
def test_every_w_decays_as_the_settings_say(settings: tuple[str, ...], products: set[int]) -> None:
    pytest.importorskip("pythia8mc")
    from root_gnn.simulation.pythia import Generator

    record = Generator(
        (*TTBAR, *settings, "Beams:eCM=13000", "PartonLevel:MPI=off", "HadronLevel:all=off"), seed=1
    ).batch(10)
    w = np.flatnonzero((record.kind == 24) & record.is_last_copy)
    _, child = record.children(w)
    assert len(w) == 20 and set(record.kind[child].tolist()) <= products and len(child) == 40


def test_several_jets_are_kept_with_their_events() -> None:
    selection = several_jets("QCD")
    assert selection.whole_events and selection.min_jets == 2 and selection.min_pt == 250.0 and not selection.n_leading
