"""Networks that score together: one, several whose scores are averaged, or the folds of a cross-validation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from root_gnn.data.events.config import Split
from root_gnn.data.events.loader import evaluation_loader
from root_gnn.data.events.splits import folds
from root_gnn.data.events.table import EventTable
from root_gnn.data.events.whole_events import WholeEvents
from root_gnn.errors import InputError
from root_gnn.protocols import Objective, Supervised
from root_gnn.runs.run import Run
from root_gnn.training.evaluation import probabilities_of
from root_gnn.typing import Floats, Index

BATCH_SIZE = 1024
FOLD_KEYS = ("n_fold", "ids")


@dataclass(frozen=True)
class Scores:
    """Scores of the rows of a table, never NaN.

    Attributes:
        mean: probabilities `(n_event, n_output)`, averaged over the networks that score an event.
        spread: their standard deviation (n - 1), of the same shape; None if one network scores.
        embedding: `(n_event, dim)`, the input of the head; None if it was not requested.
    """

    mean: Floats
    spread: Floats | None
    embedding: Floats | None


@dataclass(frozen=True)
class Networks:
    """Runs with the same inputs and outputs.

    Attributes:
        runs: all runs.
        teams: the runs that score each fold, `teams[k]` for fold k; without folds one team for all events.
        split: the folds; None if there are none.
        outputs: names of the scores, classes or labels; empty for networks trained without labels.
    """

    runs: tuple[Run, ...]
    teams: tuple[tuple[Run, ...], ...]
    split: Split | None
    outputs: tuple[str, ...]

    @classmethod
    def of(cls, runs: Sequence[Run]) -> Networks:
        """Groups runs; raises InputError if inputs or outputs differ, or folds are missing, different or unbalanced."""
        first = runs[0]
        for i_run, run in enumerate(runs):
            if any(
                run.folder.resolve() == other.folder.resolve() and run.checkpoint == other.checkpoint
                for other in runs[:i_run]
            ):
                raise InputError(f"{run.folder} is named twice; a network cannot be averaged with itself")
            if run.spec.features() != first.spec.features() or _outputs(run) != _outputs(first):
                raise InputError(
                    f"{run.folder} and {first.folder} cannot score together: {run.name} has {_described(run)}, "
                    f"{first.name} has {_described(first)}"
                )
            if run.recipe.objective.whole_events != first.recipe.objective.whole_events:
                raise InputError(
                    f"{run.folder} and {first.folder} cannot score together: one scores events and the other jets"
                )
        split = first.recipe.data.split
        teams = (tuple(runs),) if all(run.recipe.data.split.n_fold is None for run in runs) else _teams(runs)
        return cls(tuple(runs), teams, split if split.n_fold is not None else None, _outputs(first))

    @property
    def whole_events(self) -> bool:
        """Whether the networks score events of several graphs each."""
        return self.runs[0].recipe.objective.whole_events

    @property
    def n_answer(self) -> int:
        """Number of networks that score each event."""
        return len(self.teams[0])

    def check(self, *, embeddings: bool) -> None:
        """Raises InputError if there is nothing to write, or embeddings of several networks are requested."""
        if not self.outputs and not embeddings:
            raise InputError(
                f"{self.runs[0].folder} was trained without labels, so it has no scores; "
                "finetune it, or ask for --embeddings"
            )
        if (embeddings or not self.outputs) and len(self.runs) > 1:
            raise InputError(
                "--embeddings are of one network: axes of different ones mean different things and have no mean; "
                "name one run"
            )

    def on(self, table: EventTable, *, device: torch.device | str = "cpu", embeddings: bool = False) -> Scores:
        """Scores all events of a table; with folds, each event by the networks that tested on its fold."""
        whole = WholeEvents.of(table) if self.whole_events else None
        of_event = np.zeros(len(table), dtype=np.int64) if self.split is None else folds(table, self.split)
        shape = (len(table), len(self.outputs))
        mean, spread = np.zeros(shape), np.zeros(shape) if self.n_answer > 1 else None
        embedding = None
        for i_fold, team in enumerate(self.teams):
            rows = np.flatnonzero(of_event == i_fold)
            scores = [
                _scores_of(run.objective.to(device), table, rows, whole=whole, device=device, embeddings=embeddings)
                for run in team
            ]
            if self.outputs:
                of_runs = np.stack([probabilities for probabilities, _ in scores])
                mean[rows] = of_runs.mean(axis=0)
                if spread is not None:
                    spread[rows] = of_runs.std(axis=0, ddof=1)
            embedding = scores[0][1] if embeddings else None  # a single network, so `rows` are all rows
        return Scores(mean, spread, embedding)


def _scores_of(
    objective: Objective,
    table: EventTable,
    rows: Index,
    *,
    whole: WholeEvents | None,
    device: torch.device | str,
    embeddings: bool,
) -> tuple[Floats, Floats]:
    """Returns probabilities `(n, n_output)` and representations `(n, dim)`, in evaluation mode.

    Args:
        objective: the network.
        table: the events.
        rows: rows `(n,)` to score.
        whole: the events, if the rows of an event are scored together.
        device: where the network is.
        embeddings: whether representations are needed; they are empty otherwise.
    """
    leading = rows if whole is None else whole.leading(rows)
    scores: list[Floats] = []
    points: list[Floats] = []
    with torch.inference_mode():
        for batch in evaluation_loader(table, leading, BATCH_SIZE, whole=whole):
            here = batch.to(device)
            encoded = objective.encoded(here) if isinstance(objective, Supervised) else objective.encoder(here)
            if isinstance(objective, Supervised):
                logits = objective.valid_outputs(objective.head_outputs_of(encoded), here)[0]
                scores.append(probabilities_of(objective, logits).cpu().numpy())
            if embeddings:
                points.append(encoded.globals[:, : objective.encoder.dim].double().cpu().numpy())
    n_output = len(objective.outputs()) if isinstance(objective, Supervised) else 0
    scored = np.concatenate([np.zeros((0, n_output)), *scores])
    embedded = np.concatenate([np.zeros((0, objective.encoder.dim)), *points])
    if whole is None:
        return _finite(scored, objective), embedded
    all_rows = whole.all_rows(leading)
    back = np.searchsorted(rows, all_rows)
    of_rows = np.repeat(scored, whole.count[whole.event[leading]], axis=0)
    return _finite(_in_order(of_rows, back), objective), _in_order(embedded, back) if embeddings else embedded


def _in_order(values: Floats, position: Index) -> Floats:
    """Puts `values (n, ...)` at the positions `(n,)`."""
    ordered = np.empty_like(values)
    ordered[position] = values
    return ordered


def _finite(scores: Floats, objective: Objective) -> Floats:
    if not np.isfinite(scores).all():
        raise InputError(
            f"the network in {objective.encoder.run_folder or 'this run'} gives scores that are no numbers; "
            "its weights are damaged, or its training went wrong. See val/loss in its history.csv."
        )
    return scores


def _teams(runs: Sequence[Run]) -> tuple[tuple[Run, ...], ...]:
    """Returns the runs of each fold."""
    first = runs[0].recipe.data.split
    for run in runs:
        split = run.recipe.data.split
        unlike = [key for key in FOLD_KEYS if getattr(split, key) != getattr(first, key)]
        if unlike:
            raise InputError(
                f"{run.folder} and {runs[0].folder} have no common folds: data.split.{unlike[0]} is "
                f"{getattr(split, unlike[0])} and {getattr(first, unlike[0])}"
            )
    n_fold = int(first.n_fold or 0)
    teams = tuple(tuple(run for run in runs if run.recipe.data.split.fold == fold) for fold in range(n_fold))
    missing = [str(fold) for fold, team in enumerate(teams) if not team]
    if missing:
        raise InputError(
            f"{runs[0].folder} tests on one of {n_fold} folds and was trained on the others, "
            f"so each fold needs the run that did not see it; missing is fold {', '.join(missing)}. "
            "Add the other runs with --with RUN."
        )
    if len({len(team) for team in teams}) > 1:
        raise InputError(
            f"the folds have {', '.join(str(len(team)) for team in teams)} runs; as many for each fold were expected"
        )
    return teams


def _outputs(run: Run) -> tuple[str, ...]:
    objective = run.objective
    return objective.outputs() if isinstance(objective, Supervised) else ()


def _described(run: Run) -> Any:
    return f"outputs {', '.join(_outputs(run)) or 'none'} of nodes with {', '.join(run.spec.node_features)}"
