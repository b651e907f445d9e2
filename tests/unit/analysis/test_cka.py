from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from root_gnn.analysis.cka import compare_layers, drawn, layer_representations, merged
from root_gnn.data.events.splits import split_table
from root_gnn.errors import InputError
from root_gnn.runs.run import Run
from root_gnn.similarity.cka import cka


def test_the_file_holds_what_the_contract_says(seeds: list[Run], ntuples: Path, tmp_path: Path) -> None:
    found = compare_layers(seeds, events=60, out=tmp_path, data_dir=ntuples, n_permutation=5)
    written = json.loads((tmp_path / "cka.json").read_text())
    assert written == found
    names = ["scratch_s1", "scratch_s2", "scratch_s3"]
    assert found["runs"] == names
    assert found["layers"] == ["encoder", "step_1", "decoder"]
    assert (found["n_events"], found["estimator"]) == (60, "debiased_linear")
    assert [pair["runs"] for pair in found["pairs"]] == [
        [names[0], names[1]],
        [names[0], names[2]],
        [names[1], names[2]],
    ]
    for key in ("matrix", "error", "null"):
        assert found[key] == found["pairs"][0][key]
        assert np.shape(found[key]) == (3, 3)
    assert (tmp_path / "cka.png").read_bytes().startswith(b"\x89PNG")


def test_a_run_equals_itself_and_every_cell_is_cka_of_the_two_layers(
    seeds: list[Run], ntuples: Path, tmp_path: Path
) -> None:
    first, second = seeds[:2]
    found = compare_layers([first, second], events=80, out=tmp_path, data_dir=ntuples, n_permutation=3)
    same = compare_layers([first, first.folder], events=80, out=tmp_path, data_dir=ntuples, n_permutation=3)
    assert np.diag(same["matrix"]) == pytest.approx(1.0)
    table = first.table(ntuples)
    index = drawn(split_table(table, first.recipe.data.split).test, 80)
    a, b = (layer_representations(run, table, index) for run in (first, second))
    assert found["matrix"] == [[pytest.approx(cka(x, y)) for y in b.values()] for x in a.values()]


def test_layers_come_in_record_order_and_the_decoder_is_what_the_last_layer_reads(
    seeds: list[Run], ntuples: Path
) -> None:
    run = seeds[0]
    table = run.table(ntuples)
    index = split_table(table, run.recipe.data.split).test
    found = layer_representations(run, table, index)
    batch = table.gather(index)
    objective = run.objective
    with torch.inference_mode():
        assert found["step_1"] == pytest.approx(objective.encoder.layers(batch)["step_1"].numpy(), abs=1e-5)
        logits = objective.head.out(torch.from_numpy(found["decoder"]))  # type: ignore[attr-defined]
        assert logits.numpy() == pytest.approx(objective.logits(batch).numpy(), abs=1e-5)  # type: ignore[attr-defined]


def test_runs_of_different_depth_share_one_list_of_layers(
    seeds: list[Run], deeper: list[Run], ntuples: Path, tmp_path: Path
) -> None:
    found = compare_layers([seeds[0], deeper[0]], events=60, out=tmp_path, data_dir=ntuples, n_permutation=3)
    assert found["layers"] == ["encoder", "step_1", "step_2", "decoder"]
    assert found["matrix"][2] == [None] * 4, "the first run has no step_2"
    assert all(value is not None for row in (0, 1, 3) for value in found["matrix"][row])


def test_the_n_by_n_form_is_an_option(seeds: list[Run], ntuples: Path, tmp_path: Path) -> None:
    gram = compare_layers(
        seeds[:2], events=60, out=tmp_path, data_dir=ntuples, estimator="biased_gram", n_permutation=3
    )
    linear = compare_layers(
        seeds[:2], events=60, out=tmp_path, data_dir=ntuples, estimator="biased_linear", n_permutation=3
    )
    assert gram["estimator"] == "biased_gram"
    assert np.array(gram["matrix"]) == pytest.approx(np.array(linear["matrix"]))


def test_the_folder_is_cka_unless_another_is_given(
    seeds: list[Run], ntuples: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    compare_layers(seeds[:2], events=30, data_dir=ntuples, n_permutation=2)
    assert sorted(path.name for path in (tmp_path / "cka").iterdir()) == ["cka.json", "cka.png"]


def test_one_run_or_three_events_are_refused(seeds: list[Run], ntuples: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="two runs or more and got 1"):
        compare_layers(seeds[:1], out=tmp_path, data_dir=ntuples)
    with pytest.raises(InputError, match="at least four events"):
        compare_layers(seeds[:2], events=3, out=tmp_path, data_dir=ntuples)


def test_drawn_events_are_the_same_each_time_and_in_order() -> None:
    index = np.arange(100, 200)
    assert np.array_equal(drawn(index, 1000), index)
    some = drawn(index, 20)
    assert np.array_equal(some, drawn(index, 20))
    assert len(some) == 20 and np.all(np.diff(some) > 0) and set(some) <= set(index)


def test_merged_names_keep_their_order() -> None:
    assert merged([["encoder", "step_1", "decoder"], ["encoder", "step_1", "step_2"]]) == [
        "encoder",
        "step_1",
        "step_2",
        "decoder",
    ]
    assert merged([["a", "b"], ["x", "a", "c"]]) == ["x", "a", "c", "b"]
