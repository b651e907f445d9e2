"""The rule for claims and the cells that show it."""

from __future__ import annotations

import pytest

from root_gnn.analysis.claims import as_mapping, auc_by, claims_markdown, each_seed, interval, paired_cells, verdict
from root_gnn.metrics.auc import auc_multiclass_of
from root_gnn.metrics.bootstrap import PairedDifference


def difference(mean: float, half: float, per_seed: tuple[float, ...]) -> PairedDifference:
    low, high = mean - half, mean + half
    return PairedDifference(mean, low, high, per_seed, len(per_seed), low > 0.0 or high < 0.0)


UP = difference(0.02, 0.01, (0.01, 0.03, 0.02))
UNCLEAR = difference(0.01, 0.02, (0.03, -0.02, 0.02))


def test_a_claim_needs_three_seeds_the_same_events_and_an_interval_without_zero() -> None:
    assert verdict(UP) == "above"
    assert verdict(difference(-0.02, 0.01, (-0.01, -0.03, -0.02))) == "below"
    assert verdict(UNCLEAR) == "not told apart"
    assert verdict(difference(0.02, 0.01, (0.01, 0.03))) == "too few seeds"
    assert verdict(UP, same_training_events=False) == "other training events"
    assert verdict(None) == "not defined"


def test_cells_count_the_seeds_of_the_other_sign() -> None:
    assert paired_cells(UNCLEAR, "not told apart", 3) == (
        "+0.010 [-0.010, +0.030]",
        "+0.030 -0.020 +0.020",
        "1 of 3",
        "not told apart",
    )
    assert paired_cells(None, "not defined", 3) == ("not defined", "", "", "none (not defined)")
    assert interval(UP, 2) == "0.02 [0.01, 0.03]" and each_seed(UP, 2) == "0.01 0.03 0.02"


def test_values_for_json_are_plain() -> None:
    content = as_mapping(UP)
    assert content is not None and content["per_seed"] == [0.01, 0.03, 0.02] and content["n_seed"] == 3
    assert as_mapping(None) is None


def test_the_auc_of_several_classes_is_the_mean_over_pairs() -> None:
    assert auc_by(2) == {}
    assert auc_by(3)["metric"] is auc_multiclass_of


def test_a_table_of_markdown_has_aligned_columns() -> None:
    lines = claims_markdown(("a", "bcd"), [("ef", "g")]).splitlines()
    assert lines == ["| a  | bcd |", "| -- | --- |", "| ef | g   |"]
    with pytest.raises(ValueError, match="zip"):
        claims_markdown(("a", "b"), [("too", "many", "cells")])
