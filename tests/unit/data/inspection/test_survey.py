"""Guesses from the first entries."""

from __future__ import annotations

from typing import Any, cast

import awkward as ak
import numpy as np
import pytest

from root_gnn.data.inspection.layout import BranchGroup
from root_gnn.data.inspection.survey import Survey


class Columns:
    """An open source with columns in memory."""

    def __init__(self, **columns: Any) -> None:
        self.columns = columns
        self.n_entry = len(next(iter(columns.values())))

    def read(self, branches: tuple[str, ...], start: int, stop: int) -> dict[str, Any]:
        """Returns the entries of the branches."""
        return {name: ak.Array(self.columns[name])[start:stop] for name in branches}


def survey(**columns: Any) -> Survey:
    return Survey(cast(Any, Columns(**columns)))


@pytest.mark.parametrize(("scale", "unit"), [(1.0, "GeV"), (1000.0, "MeV")])
def test_the_unit_follows_from_the_median(scale: float, unit: str) -> None:
    group = BranchGroup("jet", 1, features={"pt": "jet_pt"})
    assert survey(jet_pt=[[40.0 * scale], [60.0 * scale]]).unit(group).name == unit


def test_degrees_sentinels_and_infinite_numbers() -> None:
    numbers = survey(phi=[10.0, 359.0], x=[-999.0, 1.0], y=[np.nan, np.inf])
    assert numbers.in_degrees("phi") and not numbers.in_degrees("x")
    assert numbers.sentinels("x") == (-999.0,)
    assert numbers.infinite("y") == 2


def test_flags_classes_and_duplicated_ids() -> None:
    numbers = survey(a=[1, 0, 1], b=[0, 1, 0], event=[7, 7, 8])
    assert numbers.exclusive(["a", "b"]) and not numbers.exclusive(["a", "event"])
    assert numbers.values("a") == [0, 1]
    assert numbers.duplicates(["event"]) == 1
    assert numbers.working_point("a") is None
