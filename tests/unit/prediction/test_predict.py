"""One run scores one file."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Literal

import awkward as ak
import numpy as np
import pyarrow.parquet as pq
import pytest
import uproot

from root_gnn.errors import InputError
from root_gnn.prediction.predict import predict
from root_gnn.runs.run import Run


def test_scores_are_probabilities_for_every_entry_and_are_not_made_twice(
    seeds: list[Run], ntuples: Path, tmp_path: Path
) -> None:
    (path,) = predict(seeds[0], [ntuples / "WH.root"], out=tmp_path, form="parquet")
    table = pq.read_table(path).to_pydict()
    scored = np.array(table["status"]) == 0
    total = np.array(table["score_WH"]) + np.array(table["score_ZH"])
    np.testing.assert_allclose(total[scored], 1.0, atol=1e-6)
    written = path.stat().st_mtime_ns
    assert predict(seeds[0], [ntuples / "WH.root"], out=tmp_path, form="parquet") == [path]
    assert path.stat().st_mtime_ns == written
    with pytest.raises(InputError, match="was written with another runs"):
        predict(seeds[1], [ntuples / "WH.root"], out=tmp_path, form="parquet")


def test_a_part_that_is_none_is_refused(seeds: list[Run], ntuples: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="K/N was expected"):
        predict(seeds[0], [ntuples / "WH.root"], out=tmp_path, part="3/2")


def test_momenta_in_two_units_stop_as_they_stop_training(seeds: list[Run], ntuples: Path, tmp_path: Path) -> None:
    with uproot.open(ntuples / "WH.root") as file:
        tree = next(tree for tree in file.values() if hasattr(tree, "arrays") and "jet_pt" in tree)
        columns = tree.arrays([name for name in tree.keys(recursive=False) if not name.startswith("n_")], library="ak")
    for name, factor in (("mev", 1e3), ("merged", np.where(np.arange(len(columns)) < len(columns) // 2, 1.0, 1e3))):
        scaled = {key: columns[key] * factor if key in ("jet_pt", "jet_e") else columns[key] for key in columns.fields}
        with uproot.recreate(tmp_path / f"{name}.root") as file:
            file.mktree(tree.name, {key: ak.type(value).content for key, value in scaled.items()})
            file[tree.name].extend(scaled)
    out = tmp_path / "out"
    with pytest.raises(InputError, match=r"merged\.root: the median pt of jet .* in one part of the file"):
        predict(seeds[0], [tmp_path / "merged.root"], out=out)
    with pytest.raises(InputError, match=r"mev\.root: the median pt of jet .*, but .* in .*WH\.root"):
        predict(seeds[0], [ntuples / "WH.root", tmp_path / "mev.root"], out=out)
    assert sorted(path.name for path in out.iterdir()) == ["WH.scores.root"]


@pytest.mark.parametrize("form", ["root", "parquet"])
def test_scores_beside_their_inputs_are_no_inputs(
    seeds: list[Run], ntuples: Path, tmp_path: Path, form: Literal["root", "parquet"]
) -> None:
    shutil.copy(ntuples / "WH.root", tmp_path / "WH.root")
    first = predict(seeds[0], [tmp_path / "*.root"], out=tmp_path, form=form)
    assert [path.name for path in first] == [f"WH.scores.{form}"]
    everything = [path for path in tmp_path.iterdir() if path.is_file()]  # as a shell expands a pattern
    assert predict(seeds[0], [tmp_path / "*", *everything], out=tmp_path, form=form) == first
    with pytest.raises(InputError, match="these are files of scores"):
        predict(seeds[0], first, out=tmp_path / "again")
