"""Files of scores, read back with uproot and pyarrow."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import uproot

from root_gnn.prediction import files
from root_gnn.prediction.alignment import EntryAlignment
from root_gnn.prediction.files import Aligned, note_of, write_scores

LISTS = [[0.5, 0.25], [], [0.75], [float("nan")]]


def lists(trees: dict[str, int]) -> Aligned:
    score = np.array([value for values in LISTS for value in values], dtype=np.float32)
    is_known = ~np.isnan(score)
    columns = {"score": score, "status": (~is_known).astype(np.int8)}
    return Aligned(columns, {"event": np.arange(4)}, is_known, np.array([2, 0, 1, 1]), trees)


def test_jets_of_an_entry_stand_in_lists(tmp_path: Path) -> None:
    write_scores(tmp_path / "a.root", lists({}), {"a": 1}, form="root")
    write_scores(tmp_path / "a.parquet", lists({}), {"a": 1}, form="parquet")
    with uproot.open(tmp_path / "a.root") as file:
        found = file["scores"].arrays()
    assert str(found["score"].to_list()) == str(LISTS)
    assert found["status"].to_list() == [[0, 0], [], [0], [1]]
    table = pq.read_table(tmp_path / "a.parquet")
    assert str(table.column("score").to_pylist()) == str(LISTS)
    assert table.column("event").to_pylist() == [[0, 1], [], [2], [None]]
    assert note_of(tmp_path / "a.root", "root") == note_of(tmp_path / "a.parquet", "parquet") == {"a": 1}


def test_every_tree_has_its_friend_however_much_is_written_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "ROWS_AT_A_TIME", 2)
    write_scores(tmp_path / "a.root", lists({"signal": 3, "dir/background": 1, "none": 0}), {}, form="root")
    with uproot.open(tmp_path / "a.root") as file:
        assert [file[f"scores_{name}"].num_entries for name in ("signal", "dir_background", "none")] == [3, 1, 0]
        assert file["scores_signal"]["score"].array().to_list() == LISTS[:3]


def test_answers_stand_at_their_places() -> None:
    places = EntryAlignment(np.array([3, 0, 4]), 5, 5, None, {})
    assert places.spread(np.array([1.0, 2.0, 3.0]), np.nan).tolist()[3] == 1.0
    assert np.isnan(places.spread(np.array([1.0, 2.0, 3.0]), np.nan)).tolist() == [False, True, True, False, False]
    assert not places.is_same(EntryAlignment(np.array([3]), 5, 2, np.array([2, 3]), {}))
