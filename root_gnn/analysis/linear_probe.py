"""Linear probes of frozen representations: `root-gnn probe`.

Multinomial logistic regression is fitted to the representations of some training events of a task. The strength of its
penalty is chosen on the validation events; figures are those of the test events. Each seed draws training events of its
own. For comparison there are the same networks with their initial random weights, and linear models on the raw inputs.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple, Self

import numpy as np
from torch import Tensor

from root_gnn.analysis.cka import run_labels
from root_gnn.analysis.claims import auc_by
from root_gnn.analysis.embed import graph_representations, of_each_event
from root_gnn.analysis.held_out import check_held_out
from root_gnn.analysis.logistic import LinearModel, ProbeSample, fit_logistic
from root_gnn.analysis.probe_results import Gain, Kind, Probed, Probes
from root_gnn.analysis.raw_inputs import N_HARDEST, hardest_nodes, pooled
from root_gnn.atomic import write_json, write_text
from root_gnn.config.loader import load
from root_gnn.config.plugins import plugin_name
from root_gnn.config.shipped import find
from root_gnn.console import log
from root_gnn.data.events.splits import largest_subset, split_table, subset
from root_gnn.data.events.table import EventTable, open_table
from root_gnn.data.events.weights import training_weights
from root_gnn.errors import InputError
from root_gnn.graph.batch import Batch
from root_gnn.metrics.accuracy import accuracy_of
from root_gnn.metrics.bootstrap import paired_difference, seed_mean
from root_gnn.runs.build import build_objective, data_folder
from root_gnn.runs.run import Run, load_run
from root_gnn.runs.task import Task
from root_gnn.typing import Floats, Index


class FittedProbe(NamedTuple):
    """A linear model and its probabilities on the test events, `(n_test, n_class)`."""

    model: LinearModel
    probabilities: Floats


@dataclass(frozen=True)
class Events:
    """The events of a task that linear models are fitted to: rows of a table, training rows by seed."""

    task: Task
    table: EventTable
    train: dict[int, Index]
    validation: Index
    test: Index

    @classmethod
    def of(cls, task: Task, table: EventTable, *, train_events: int | None, seeds: Sequence[int]) -> Self:
        """Draws `train_events` for each seed, half of all training events unless given.

        Raises:
            InputError: where there are too few events of a class, no classes, or empty splits.
        """
        if not seeds or len(set(seeds)) < len(seeds):
            raise InputError(
                f"--seeds takes one number or more, each once, and got {' '.join(map(str, seeds)) or 'none'}."
            )
        table.check_labels()
        splits, n_class = split_table(table, task.data.split), len(table.classes)
        empty = [name for name in ("train", "validation", "test") if not len(splits[name])]
        if n_class < 2 or empty:
            lacks = f"events in the {empty[0]} split" if empty else "two classes"
            raise InputError(
                "A probe tells classes apart, fits on train, chooses on validation and judges on test; the task "
                f"{task.name} "
                f"lacks {lacks}."
            )
        n_train = largest_subset(table, splits.train) // 2 if train_events is None else train_events
        if n_train < n_class:
            raise InputError(
                f"{n_train} training events are too few for the {n_class} classes of {task.name}; a model needs one of "
                "each."
            )
        train = {seed: subset(table, splits.train, n_train, seed) for seed in seeds}
        if len(seeds) > 1 and np.array_equal(train[seeds[0]], train[seeds[1]]):
            raise InputError(
                f"--train-events {n_train}: these are all there are, so every seed draws the same ones; ask for fewer, "
                "or give one seed."
            )
        return cls(task, table, train, splits.validation, splits.test)

    def rows(self, seeds: Collection[int]) -> Index:
        """Returns all rows that are used with these seeds, ascending, `(n,)`."""
        return np.unique(np.concatenate([*(self.train[seed] for seed in seeds), self.validation, self.test]))

    def fit(self, seed: int, rows: Index, features: Floats) -> FittedProbe:
        """Fits the linear model to the training events of a seed, from `features (n, dim)` of `rows (n,)`."""
        weights = training_weights(self.table, self.train[seed], self.task.data.weights).astype(np.float64)
        place = partial(np.searchsorted, rows)
        train, validation = (
            ProbeSample(features[place(index)], self.table.label[index].astype(np.int64), weight)
            for index, weight in (
                (self.train[seed], weights[self.train[seed]]),
                (self.validation, np.copysign(weights[self.validation], self.table.weight[self.validation])),
            )
        )
        model = fit_logistic(train, validation)
        return FittedProbe(model, model.probabilities(features[place(self.test)]))


def probe(
    runs: Sequence[Run | Path | str],
    *,
    task: str,
    train_events: int | None = None,
    seeds: Sequence[int] = (1, 2, 3),
    random: bool = False,
    inputs: bool = False,
    overrides: Sequence[str] = (),
    data_dir: Path | str | None = None,
    out: Path | None = None,
    allow_plugins: Collection[str] = (),
) -> Probes:
    """Fits linear models to frozen representations of runs, and writes `probe.json` and `probe.md` in `out` (`probe`).

    Runs are compared with the random networks and the inputs where these are asked for, else with the first run.

    Args:
        runs: one or more runs: run folders, names, packed runs or `Run` objects.
        task: the events and their classes; a shipped task's name, or a path.
        train_events: training events that each seed draws, balanced over classes; half of all unless given.
        seeds: one draw of the training events and, with `random`, of the networks' weights for each.
        random: also fit to the networks of the runs with their initial weights.
        inputs: also fit to means and sums of the node columns, and to the columns of the 30 hardest nodes.
        overrides: `dotted.key=value` of the task.
        data_dir: where data paths start.
        out: the folder to write to.
        allow_plugins: modules of one's own that the runs may import.

    Raises:
        InputError: for no runs, and for a run that reads other features than the task or was trained on its test
            events.
    """
    opened = [run if isinstance(run, Run) else load_run(run, allow_plugins=allow_plugins) for run in runs]
    if not opened:
        raise InputError("A probe takes one run or more.")
    path = find(task, "task")
    asked = load(Task, path, overrides, allow_dotted=True)
    events = Events.of(
        asked, open_table(asked.data, data_folder(data_dir), beside=path), train_events=train_events, seeds=seeds
    )
    for run in opened:
        _check_features(run, events)
        check_held_out(run, events.table, events.test, split=asked.data.split, data_dir=data_dir)
    named = dict(zip(run_labels(opened), opened, strict=True))
    fits: dict[tuple[str, Kind], list[FittedProbe]] = {
        (name, "run"): _of_run(events, name, run) for name, run in named.items()
    }
    initial = _networks(named) if random else {}
    fits |= {(name, "random"): _of_random(events, name, named[members[0]]) for name, members in initial.items()}
    raw = _raw(events.table) if inputs else {}
    fits |= {(name, "inputs"): _of_inputs(events, name, what) for name, what in raw.items()}
    references = {run: [*(name for name, members in initial.items() if run in members), *raw] for run in named}
    if not random and not inputs:
        references = {run: list(named)[:1] for run in list(named)[1:]}
    found = _results(events, fits, references)
    folder = Path("probe") if out is None else out
    write_json(folder / "probe.json", found.content())
    write_text(folder / "probe.md", f"{found}\n")
    log.info("%s and probe.md: %d linear models on %s", folder / "probe.json", len(fits) * len(seeds), asked.name)
    return found


def _of_run(events: Events, name: str, run: Run) -> list[FittedProbe]:
    rows = events.rows(events.train)
    features = graph_representations(run.encoder, events.table, rows, title=name)
    return [events.fit(seed, rows, features) for seed in events.train]


def _of_random(events: Events, name: str, run: Run) -> list[FittedProbe]:
    """Fits to the network of a run with the random weights that each seed gives it."""
    found = []
    for seed in events.train:
        encoder = build_objective(run.recipe.model_copy(update={"seed": seed}), run.spec, run.scaling).encoder.eval()
        rows = events.rows([seed])
        found.append(
            events.fit(seed, rows, graph_representations(encoder, events.table, rows, title=f"{name}, seed {seed}"))
        )
    return found


def _of_inputs(events: Events, name: str, what: Callable[[Batch], Tensor]) -> list[FittedProbe]:
    rows = events.rows(events.train)
    features = of_each_event(what, events.table, rows, title=name)
    return [events.fit(seed, rows, features) for seed in events.train]


def _raw(table: EventTable) -> dict[str, Callable[[Batch], Tensor]]:
    hardest = partial(hardest_nodes, pt=table.features.column("pt"))
    return {"inputs, pooled": pooled, f"inputs, {N_HARDEST} hardest nodes": hardest}


def _networks(named: dict[str, Run]) -> dict[str, list[str]]:
    """Names each distinct untrained network, with the sorted names of the runs that have it.

    One scaling of the inputs, that of the first run, serves all runs with the same network.
    """
    same: dict[str, list[str]] = {}
    for name in sorted(named):
        same.setdefault(repr(named[name].recipe.model), []).append(name)
    kinds = [plugin_name(named[members[0]].recipe.model, "models") for members in same.values()]
    return {
        f"random {kind}" if kinds.count(kind) == 1 else f"random {kind} as in {members[0]}": members
        for kind, members in zip(kinds, same.values(), strict=True)
    }


def _results(
    events: Events, fits: dict[tuple[str, Kind], list[FittedProbe]], references: dict[str, list[str]]
) -> Probes:
    table, binary = events.table, len(events.table.classes) == 2
    truth = (table.label[events.test].astype(np.int64), table.weight[events.test])
    chances = {name: np.stack([one.probabilities for one in found]) for (name, _), found in fits.items()}
    scores = {name: values[:, :, 1] if binary else values for name, values in chances.items()}
    auc = auc_by(len(table.classes))
    probed = tuple(
        Probed(
            name,
            kind,
            found[0].model.coefficient.shape[1],
            accuracy=seed_mean(chances[name], *truth, metric=accuracy_of),
            auc=seed_mean(scores[name], *truth, **auc),
            strengths=tuple(one.model.strength for one in found),
            converged=tuple(one.model.converged for one in found),
        )
        for (name, kind), found in fits.items()
    )
    gains = tuple(
        Gain(
            run,
            other,
            accuracy=paired_difference(chances[run], chances[other], *truth, metric=accuracy_of),
            auc=paired_difference(scores[run], scores[other], *truth, **auc),
        )
        for run, others in references.items()
        for other in others
    )
    counts = {
        "training": len(next(iter(events.train.values()))),
        "validation": len(events.validation),
        "test": len(events.test),
    }
    return Probes(events.task.name, table.classes, tuple(events.train), counts, probed, gains)


def _check_features(run: Run, events: Events) -> None:
    its, wanted = run.spec.features(), events.table.features
    if its != wanted:
        raise InputError(
            f"{run.folder} reads the node features {its}, and the events of the task {events.task.name} have {wanted}; "
            "a probe shows the events of the task to all runs, so it takes runs that read these features."
        )
