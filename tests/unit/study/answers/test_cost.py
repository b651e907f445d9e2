"""What trainings cost, by hand."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from root_gnn.data.events.splits import split_table
from root_gnn.metrics.cost import BreakEven
from root_gnn.metrics.seeds import over_seeds
from root_gnn.runs.setup import TrainingSetup
from root_gnn.runs.task import finetuning_recipe
from root_gnn.study.answers.cost import N_EVENT, break_even_cell, operations, operations_of_event, pays, spent
from root_gnn.study.speed import Speed


def test_operations_of_an_event_are_two_for_each_weight_and_row(ntuples: Path) -> None:
    """Deep sets: every node passes the weights of phi, every event those of rho and of the head."""
    recipe = finetuning_recipe("WHvsZH", mode="scratch", model=None, overrides=("model.name=deep_sets", "model.dim=8"))
    bench = TrainingSetup(recipe, data_dir=ntuples)
    run: Any = SimpleNamespace(recipe=recipe, objective=bench.objective.eval(), table=lambda data_dir: bench.table)
    index = split_table(bench.table, recipe.data.split).test[:N_EVENT]
    weights = {name: one.numel() for name, one in bench.objective.named_parameters() if one.dim() == 2}
    of_node = sum(n for name, n in weights.items() if ".phi." in name)
    of_event = sum(n for name, n in weights.items() if ".phi." not in name)
    assert of_node > 0 and of_event > 0 and len(index) == N_EVENT
    expected = 2.0 * (of_node * bench.table.n_node[index].mean() + of_event)
    assert operations_of_event(run, ntuples) == pytest.approx(expected)


def run_of(mode: str, seconds: float | None, rate: float = 200.0) -> Any:
    return SimpleNamespace(
        plan={"mode": mode}, metrics={"seconds": seconds, "events_per_second": rate}, folder=Path("nowhere")
    )


def test_a_training_is_three_passes_of_every_event_and_one_where_the_backbone_is_frozen() -> None:
    assert operations(run_of("finetuned", 10.0), 1e6) == 3.0 * 1e6 * 10.0 * 200.0
    assert operations(run_of("frozen", 10.0), 1e6) == 1e6 * 10.0 * 200.0
    assert operations(run_of("scratch", None), 1e6) is None
    found = spent([run_of("scratch", 10.0), run_of("scratch", 14.0)], 1e6)
    assert found.seconds is not None and found.seconds.mean == 12.0 and found.joules is None
    assert found.operations is not None and found.operations.mean == pytest.approx(7.2e9)


def speed(to_scratch: list[float | None], saved: list[float | None]) -> Speed:
    return Speed(None, None, None, over_seeds(to_scratch), over_seeds(saved), None)


def test_break_even_and_its_error_are_those_of_the_saving_paired_by_seed() -> None:
    """Savings of 60, 50 and 70 s: mean 60 s, error 10 / sqrt(3) times Student's 1.3213 for two degrees of freedom."""
    scratch, tuned = speed([100.0, 200.0, 300.0], [0.0] * 3), speed([40.0, 150.0, 230.0], [60.0, 50.0, 70.0])
    found = pays(run_of("pretraining", 1200.0), scratch, tuned)
    error = 10.0 / 3.0**0.5 * 1.3213
    assert found is not None and found.n == pytest.approx(20.0)
    assert (found.low, found.high) == (  # type: ignore[comparison-overlap]
        pytest.approx(1200.0 / (60.0 + error), rel=1e-4),
        pytest.approx(1200.0 / (60.0 - error), rel=1e-4),
    )
    assert break_even_cell(found) == "20.0 [17.7, 22.9]"


def test_a_seed_that_never_got_there_or_a_training_that_saves_nothing_has_no_break_even() -> None:
    scratch = speed([100.0, 200.0], [0.0, 0.0])
    assert pays(run_of("pretraining", 1200.0), scratch, speed([40.0, None], [60.0, None])) is None
    slower = pays(run_of("pretraining", 1200.0), scratch, speed([140.0, 240.0], [-40.0, -40.0]))
    assert slower == BreakEven(None, None, None) and break_even_cell(slower) == "not with these"
    assert break_even_cell(BreakEven(None, 50.0, None)) == "not with these, at best 50"
    assert break_even_cell(BreakEven(50.0, 20.0, None)) == "50.0 [20.0, no limit]"
