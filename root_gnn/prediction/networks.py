"""The networks that score together: one, several whose answers are averaged, or the folds of a cross-validation."""

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
    """Answers for the rows of a table, NaN nowhere.

    Attributes:
        mean: probabilities `(n_event, n_output)`, averaged over the networks that answer for an event.
        spread: their standard deviation (n - 1), of the same shape; None where one network answers.
        embedding: `(n_event, dim)`, what the head reads; None where it was not asked for.
    """

    mean: Floats
    spread: Floats | None
    embedding: Floats | None


@dataclass(frozen=True)
class Networks:
    """Runs that answer the same question.

    Attributes:
        runs: all of them.
        teams: the runs that answer for each fold, `teams[k]` for fold k; one team for all events where there are no folds.
        split: the folds; None where there are none.
        outputs: what the scores are of, classes or labels; empty for networks trained without labels.
    """

    runs: tuple[Run, ...]
    teams: tuple[tuple[Run, ...], ...]
    split: Split | None
    outputs: tuple[str, ...]

    @classmethod
    def of(cls, runs: Sequence[Run]) -> Networks:
        """Raises InputError where the runs do not answer the same question, or folds are missing, unlike, or unevenly many."""
        first = runs[0]
        for place, run in enumerate(runs):
            if any(
                run.folder.resolve() == other.folder.resolve() and run.checkpoint == other.checkpoint
                for other in runs[:place]
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
        """How many networks answer for an event."""
        return len(self.teams[0])

    def check(self, *, embeddings: bool) -> None:
        """Raises InputError where there is nothing to write, or embeddings were asked for of several networks."""
        if not self.outputs and not embeddings:
            raise InputError(
                f"{self.runs[0].folder} was trained without labels, so it has no scores; finetune it, or ask for --embeddings"
            )
        if (embeddings or not self.outputs) and len(self.runs) > 1:
            raise InputError(
                "--embeddings are of one network: axes of different ones mean different things and have no mean; name one run"
            )

    def on(self, table: EventTable, *, device: torch.device | str = "cpu", embeddings: bool = False) -> Scores:
        """The answers for all events of a table; with folds, each event's are of the networks that tested on its fold."""
        whole = WholeEvents.of(table) if self.whole_events else None
        of_event = np.zeros(len(table), dtype=np.int64) if self.split is None else folds(table, self.split)
        shape = (len(table), len(self.outputs))
        mean, spread = np.zeros(shape), np.zeros(shape) if self.n_answer > 1 else None
        embedding = None
        for place, team in enumerate(self.teams):
            rows = np.flatnonzero(of_event == place)
            answers = [
                _answers(run.objective.to(device), table, rows, whole=whole, device=device, embeddings=embeddings)
                for run in team
            ]
            if self.outputs:
                said = np.stack([scores for scores, _ in answers])
                mean[rows] = said.mean(axis=0)
                if spread is not None:
                    spread[rows] = said.std(axis=0, ddof=1)
            embedding = answers[0][1] if embeddings else None  # of one network: `rows` are all rows
        return Scores(mean, spread, embedding)


def _answers(
    objective: Objective,
    table: EventTable,
    rows: Index,
    *,
    whole: WholeEvents | None,
    device: torch.device | str,
    embeddings: bool,
) -> tuple[Floats, Floats]:
    """Probabilities `(n, n_output)` and representations `(n, dim)` of the rows `rows (n,)`, in evaluation mode."""
    leading = rows if whole is None else whole.leading(rows)
    scores: list[Floats] = []
    points: list[Floats] = []
    with torch.inference_mode():
        for batch in evaluation_loader(table, leading, BATCH_SIZE, whole=whole):
            here = batch.to(device)
            encoded = objective.encoded(here) if isinstance(objective, Supervised) else objective.encoder(here)
            if isinstance(objective, Supervised):
                said = objective.valid_outputs(objective.head_outputs_of(encoded), here)[0]
                scores.append(probabilities_of(objective, said).cpu().numpy())
            if embeddings:
                points.append(encoded.globals[:, : objective.encoder.dim].double().cpu().numpy())
    n_output = len(objective.outputs()) if isinstance(objective, Supervised) else 0
    answered = np.concatenate([np.zeros((0, n_output)), *scores])
    embedded = np.concatenate([np.zeros((0, objective.encoder.dim)), *points])
    if whole is None:
        return _finite(answered, objective), embedded
    all_rows = whole.all_rows(leading)
    back = np.searchsorted(rows, all_rows)
    of_rows = np.repeat(answered, whole.count[whole.event[leading]], axis=0)
    return _finite(_in_order(of_rows, back), objective), _in_order(embedded, back) if embeddings else embedded


def _in_order(values: Floats, place: Index) -> Floats:
    """`values (n, ...)` at `place (n,)`."""
    ordered = np.empty_like(values)
    ordered[place] = values
    return ordered


def _finite(scores: Floats, objective: Objective) -> Floats:
    if not np.isfinite(scores).all():
        raise InputError(
            f"the network in {objective.encoder.run_folder or 'this run'} gives scores that are no numbers; its weights are "
            "damaged, or its training went wrong. See val/loss in its history.csv."
        )
    return scores


def _teams(runs: Sequence[Run]) -> tuple[tuple[Run, ...], ...]:
    """The runs of each fold."""
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
            f"{runs[0].folder} tests on one of {n_fold} folds and was trained on the others, so each fold needs the run that "
            f"did not see it; missing is fold {', '.join(missing)}. Add the other runs with --with RUN."
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
