"""One training of a study: what it runs, what it starts from, the command that does the same."""

from __future__ import annotations

import json
import os
import time
from dataclasses import dataclass
from pathlib import Path

from root_gnn.atomic import write_json
from root_gnn.console import set_verbosity
from root_gnn.runs.run import Run
from root_gnn.runs.task import Mode
from root_gnn.study.execution.energy import Energy, energy_used

ENERGY = "energy.json"


@dataclass(frozen=True)
class Training:
    """One run of a recipe, or of a task from another run.

    Attributes:
        name: of the run folder.
        what: the recipe, or the task where there is a mode.
        overrides: `dotted.key=value`.
        mode: how a task is trained; None for a recipe.
        source: name of the training whose run a task starts from, or takes the network of.
        train_events: size of a task's training subset.
        folder: where its files are, below the data folder.
    """

    name: str
    what: str
    overrides: tuple[str, ...] = ()
    mode: Mode | None = None
    source: str | None = None
    train_events: int | None = None
    folder: str = ""

    def command(self, runs: Path = Path("runs"), data_dir: Path | None = None) -> list[str]:
        """Returns the same training as words of a command line, with the run folders in `runs`."""
        words = ["train", self.what] if self.mode is None else ["finetune", "--task", self.what, "--mode", self.mode]
        words += [] if self.source is None else ["--from", str(runs / self.source)]
        words += [] if self.train_events is None else ["--train-events", str(self.train_events)]
        changed = (word for override in self.overrides for word in ("--set", override))
        data = data_dir / self.folder if data_dir is not None else Path(self.folder) if self.folder else None
        where = [] if data is None else ["--data-dir", str(data)]
        return ["root-gnn", *words, *changed, *where, "--run-dir", str(runs / self.name)]

    def run(self, runs: Path, data_dir: Path) -> float:
        """Trains unless it is done already; returns the seconds that it took."""
        os.environ["TTY_COMPATIBLE"] = "0"  # two progress bars would write over each other; plain lines don't
        set_verbosity(0)
        from root_gnn.runs.train import finetune, train

        start = time.monotonic()
        folder, data = runs / self.name, data_dir / self.folder
        with energy_used() as energy:
            if self.mode is None:
                run = train(self.what, overrides=self.overrides, data_dir=data, run_dir=folder, resume=True)
            else:
                run = finetune(
                    self.what,
                    run=None if self.source is None else runs / self.source,
                    mode=self.mode,
                    train_events=self.train_events,
                    overrides=self.overrides,
                    data_dir=data,
                    run_dir=folder,
                    resume=True,
                )
        seconds = time.monotonic() - start
        _write_down(energy, seconds, run)
        return seconds


def _write_down(energy: Energy, seconds: float, run: Run) -> None:
    """Joules in `energy.json` of a run that was trained without a break; None for any other.

    Of a resumed run the part before the break is not known.
    """
    path = run.folder / ENERGY
    if energy.joules is not None and not path.exists() and seconds >= run.metrics["seconds"]:
        write_json(path, {"joules": energy.joules, "seconds": seconds})


def joules_of(run: Run) -> float | None:
    """Returns the energy of the machine in training and evaluation, in joules; None where it was not measured."""
    path = run.folder / ENERGY
    return float(json.loads(path.read_text(encoding="utf-8"))["joules"]) if path.is_file() else None
