from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from root_gnn.analysis.held_out import check_held_out
from root_gnn.data.events.config import Split
from root_gnn.data.events.splits import split_table, subset
from root_gnn.errors import InputError
from root_gnn.runs.run import Run

OTHER = Split(train=0.4, validation=0.1, test=0.5)


def test_the_same_split_holds_test_events_out_and_files_are_not_looked_at(
    seeds: list[Run], ntuples: Path, tmp_path: Path
) -> None:
    run, table = seeds[0], seeds[0].table(ntuples)
    split = run.recipe.data.split
    check_held_out(run, table, split_table(table, split).test, split=split, data_dir=tmp_path)
    with pytest.raises(InputError, match="is called"):
        check_held_out(run, table, split_table(table, OTHER).test, split=OTHER, data_dir=tmp_path)


def test_another_split_is_refused_where_it_tests_on_training_events(seeds: list[Run], ntuples: Path) -> None:
    run, table = seeds[1], seeds[1].table(ntuples)
    test = split_table(table, OTHER).test
    drawn = subset(table, split_table(table, run.recipe.data.split).train, 100, seed=2)
    n_seen = len(np.intersect1d(test, drawn))
    assert 0 < n_seen < 100
    said = rf"trained on {n_seen} of the {len(test)} test events, first process .* eventNumber .* of .*ZH.root"
    with pytest.raises(InputError, match=said):
        check_held_out(run, table, test, split=OTHER, data_dir=ntuples)
    check_held_out(run, table, np.setdiff1d(test, drawn), split=OTHER, data_dir=ntuples)


def test_other_files_hold_other_events_whatever_their_ids(
    make_run, ntuples: Path, seeds: list[Run], tmp_path: Path
) -> None:
    other, table = make_run("of_other_files", task="FCNCvsttbar"), seeds[0].table(ntuples)
    check_held_out(other, table, split_table(table, OTHER).test, split=OTHER, data_dir=ntuples)
    shutil.copytree(ntuples, tmp_path / "copy", ignore=shutil.ignore_patterns(".*"))
    moved = seeds[0].table(tmp_path / "copy")
    check_held_out(seeds[0], moved, split_table(moved, OTHER).test, split=OTHER, data_dir=ntuples)
