"""Truth branches of events written by hand."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from root_gnn.simulation.record import EventRecord
from root_gnn.simulation.truth import truth


def test_hand_written_events(make_record: Callable[..., EventRecord]) -> None:
    record = make_record(
        3,
        # event 0: H -> W W, t (with a later copy) -> W, and a direct W; event 1: direct Z; event 2: nothing
        event=[0, 0, 0, 0, 0, 0, 0, 1, 2],
        pdg=[25, 24, -24, 6, 6, 24, -24, 23, 21],
        mother=[-1, 0, 0, -1, 3, 4, -1, -1, -1],
        pt=[50.0, 20, 30, 100, 90, 60, 40, 70, 10],
        eta=0.5,
        phi=[0.1, 0, 0, 0, 2.0, 0, -1.0, 3.0, 0],
        mass=[125.0, 80, 80, 173, 172, 80, 81, 91, 0],
    )
    columns = truth(record)
    assert columns["n_higgs"].tolist() == [1, 0, 0]
    assert columns["n_top"].tolist() == [1, 0, 0]
    assert columns["n_W"].tolist() == [1, 0, 0]
    assert columns["n_Z"].tolist() == [0, 1, 0]
    assert columns["higgs_m"].tolist() == pytest.approx([125.0, 0, 0], rel=1e-5)
    assert (columns["top1_pt"][0], columns["top1_m"][0], columns["top1_phi"][0]) == pytest.approx(
        (90.0, 172.0, 2.0), rel=1e-5
    )
    assert columns["top2_exists"].tolist() == [0, 0, 0]
    assert (columns["W_pt"][0], columns["W_m"][0]) == pytest.approx((40.0, 81.0), rel=1e-5)
    assert columns["Z_exists"].tolist() == [0, 1, 0]
    assert all(
        (columns[f"{name}_{x}"][2] == 0).all()
        for name in ("higgs", "top1", "W", "Z")
        for x in ("exists", "pt", "eta", "phi", "m")
    )


def test_tops_are_ordered_by_pt(make_record: Callable[..., EventRecord]) -> None:
    record = make_record(2, event=[0, 0, 1, 1], pdg=[6, -6, 6, -6], pt=[10.0, 20, 40, 30], eta=0.0, phi=0.0, mass=173.0)
    columns = truth(record)
    assert columns["top1_pt"].tolist() == pytest.approx([20, 40])
    assert columns["top2_pt"].tolist() == pytest.approx([10, 30])
    assert columns["n_top"].dtype == np.int8
