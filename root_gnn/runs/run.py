"""The run folder: what one training leaves behind, and the functions that open it."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Collection, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray

from root_gnn.config.loader import load
from root_gnn.data.events.loader import evaluation_loader
from root_gnn.data.events.splits import split_table
from root_gnn.data.events.table import EventTable, open_table
from root_gnn.data.events.whole_events import WholeEvents
from root_gnn.data.spec.spec import Spec, load_spec
from root_gnn.errors import InputError, suggest
from root_gnn.graph.scaling import Scaling
from root_gnn.protocols import Encoder, Objective, Supervised
from root_gnn.runs.build import build_objective, data_folder
from root_gnn.runs.packed import is_packed, unpacked
from root_gnn.runs.recipe import Recipe
from root_gnn.training.evaluation import ModelOutputs, model_outputs
from root_gnn.training.fit import load_weights

SplitName = Literal["train", "validation", "test"]
RUNS = Path("runs")


class Run:
    """A finished (or interrupted) training, read from its folder; nothing in it is executed.

    Attributes:
        folder: the run folder.
        recipe: the resolved recipe, `config.yaml`.
        spec: the data spec, `spec.yaml`.
        is_kept: whether results of these weights belong into the folder: not those of a packed run, nor those of
            weights other than the best.
    """

    def __init__(
        self,
        folder: Path,
        *,
        checkpoint: Path | None = None,
        is_kept: bool = True,
        allow_plugins: Collection[str] = (),
    ) -> None:
        self.folder = Path(folder)
        check_is_run(self.folder)
        self.recipe = load(Recipe, self.folder / "config.yaml", allow_plugins=allow_plugins)
        self.spec: Spec = load(Spec, self.folder / "spec.yaml", allow_plugins=allow_plugins)
        self._checkpoint = checkpoint
        self.is_kept = is_kept and checkpoint is None

    @property
    def name(self) -> str:
        """Name of the folder."""
        return self.folder.resolve().name

    @property
    def checkpoint(self) -> Path:
        """Path of the named checkpoint, else of the best one; raises InputError where there is none yet."""
        if self._checkpoint is not None:
            return self._checkpoint
        path = self.folder / "checkpoints" / "best.ckpt"
        if not path.exists():
            raise InputError(
                f"{self.folder} has no checkpoints/best.ckpt yet: its training did not finish an "
                "epoch; go on with --resume"
            )
        return path

    @property
    def metrics(self) -> dict[str, Any]:
        """Content of `metrics.json`; raises InputError where the run is not finished."""
        path = self.folder / "metrics.json"
        if not path.exists():
            raise InputError(f"{self.folder} has no metrics.json: its training is not finished; go on with --resume")
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return content

    @property
    def plan(self) -> dict[str, Any]:
        """Content of `plan.json`: mode, source, parameter groups and learning rates."""
        content: dict[str, Any] = json.loads((self.folder / "plan.json").read_text(encoding="utf-8"))
        return content

    @property
    def history(self) -> Mapping[str, NDArray[np.float64]]:
        """The rows (epoch from 0, step, value) of each tag of `history.csv`, `(n_row, 3)`.

        For example `history["val/loss"][:, 2]`.
        """
        rows: dict[str, list[tuple[float, float, float]]] = {}
        text = (self.folder / "history.csv").read_text(encoding="utf-8")
        for row in csv.DictReader(text[: text.rfind("\n") + 1].splitlines()):  # a killed run may leave half a row
            rows.setdefault(row["tag"], []).append((float(row["epoch"]), float(row["step"]), float(row["value"])))
        return {tag: np.array(values) for tag, values in rows.items()}

    @cached_property
    def scaling(self) -> Scaling:
        """The feature scaling that belongs to the weights."""
        return Scaling.load(self.folder / "scaling.json")

    @cached_property
    def objective(self) -> Objective:
        """The trained objective in evaluation mode."""
        return self._loaded(self.checkpoint)

    @cached_property
    def weights_digest(self) -> str:
        """SHA-256 of the weights (names, types, shapes and bytes), whichever file they are in."""
        digest = hashlib.sha256()
        for name, values in sorted(self.objective.state_dict().items()):
            digest.update(f"{name} {values.dtype} {tuple(values.shape)}\n".encode())
            digest.update(values.contiguous().flatten().view(torch.uint8).numpy())
        return digest.hexdigest()

    @property
    def kept_epochs(self) -> tuple[int, ...]:
        """The epochs (from 1) whose weights were kept (`train.keep_epochs`), ascending."""
        return tuple(
            sorted(int(path.stem.removeprefix("epoch_")) for path in (self.folder / "checkpoints").glob("epoch_*.ckpt"))
        )

    def objective_after(self, epoch: int) -> Objective:
        """Returns the objective in evaluation mode with the weights of an epoch.

        Raises InputError without such weights.
        """
        return self._loaded(self.folder / "checkpoints" / f"epoch_{epoch}.ckpt")

    def _loaded(self, checkpoint: Path) -> Objective:
        built = build_objective(self.recipe, self.spec, self.scaling)
        load_weights(built, checkpoint)
        return built.eval().requires_grad_(False)

    @property
    def encoder(self) -> Encoder:
        """The trained encoder in evaluation mode."""
        encoder = self.objective.encoder
        encoder.run_folder = self.folder
        return encoder

    def table(self, data_dir: Path | str | None = None, *, spec: Spec | None = None) -> EventTable:
        """Opens the run's own events, prepared where needed; `spec` replaces the spec that they are read with."""
        return open_table(
            self.recipe.data,
            data_folder(data_dir),
            spec=spec or self.spec,
            whole_events=self.recipe.objective.whole_events,
        )

    def answers(
        self, split: SplitName = "test", *, data_dir: Path | str | None = None, batch_size: int = 1024
    ) -> ModelOutputs:
        """Computes the outputs of the network on a split, in event order.

        Args:
            split: `train`, `validation` or `test`.
            data_dir: folder of the data files, by default that of the training.
            batch_size: number of graphs of a batch; results depend on it by rounding only.

        Raises InputError for a run trained without labels.
        """
        objective = self.objective
        if not isinstance(objective, Supervised):
            raise InputError(
                f"{self.folder} was trained without labels, so it has no scores; finetune it, or use embed and cka"
            )
        table = self.table(data_dir)
        index = split_table(table, self.recipe.data.split)[split]
        whole = WholeEvents.of(table) if self.recipe.objective.whole_events else None
        return model_outputs(
            objective,
            evaluation_loader(table, index if whole is None else whole.leading(index), batch_size, whole=whole),
        )

    def check_keeps_results(self) -> None:
        """Raises InputError where results cannot be written into the folder."""
        if not self.is_kept:
            raise InputError(
                f"{self.name} was opened from one file, and the results of this command belong "
                "into a run folder of the best "
                "weights; name the run folder, or make one of a packed run with `root-gnn pack --unpack FILE`"
            )

    def __repr__(self) -> str:
        return (
            f"Run({self.name}, {self.recipe.objective.__class__.__module__.rsplit('.', 1)[-1]}, folder={self.folder})"
        )


def load_run(place: Path | str, *, allow_plugins: Collection[str] = ()) -> Run:
    """Opens a run given as a folder, as a name below `runs/`, as one of its checkpoints, or as a packed run.

    Nothing in it is executed. Raises InputError, with near names, where there is no such run.
    """
    path = located(place)
    if is_packed(path):
        return Run(unpacked(path), is_kept=False, allow_plugins=allow_plugins)
    if not path.is_file():
        return Run(path, allow_plugins=allow_plugins)
    folder = path.resolve().parent.parent
    if path.suffix != ".ckpt" or path.resolve().parent.name != "checkpoints" or not (folder / "config.yaml").is_file():
        raise InputError(
            f"{path} is neither a checkpoint in the folder checkpoints/ of a run, whose "
            "config.yaml says what the weights are "
            "of, nor a packed run (*.safetensors)"
        )
    return Run(folder, checkpoint=None if path.name == "best.ckpt" else path, allow_plugins=allow_plugins)


def located(place: Path | str) -> Path:
    """Returns the path of a run that is given as a path, or as a name below `runs/`."""
    path = Path(place)
    return path if path.exists() or not (RUNS / path).exists() else RUNS / path


def check_is_run(folder: Path) -> None:
    """Raises InputError, with near names, where there is no run folder."""
    if not (folder / "config.yaml").is_file():
        known = [*run_names(folder.parent), *run_names(RUNS)]
        raise InputError(f"{folder} is no run folder: it has no config.yaml{suggest(folder.name, known)}")


def load_encoder(place: Path | str) -> Encoder:
    """Loads the trained encoder of a run, given as for `load_run`, in evaluation mode."""
    return load_run(place).encoder


def reading_spec(run: Run, spec: str | None) -> Spec:
    """Returns the spec that other files are read with.

    Raises InputError where it has other node features than the run.
    """
    reading = run.spec if spec is None else load_spec(spec)
    if reading.features() != run.spec.features():
        raise InputError(
            f"the spec {reading.name} describes other node features than {run.name} was trained on: "
            f"{', '.join(reading.node_features)} and {', '.join(run.spec.node_features)}"
        )
    return reading


def run_names(folder: Path) -> list[str]:
    """Names of the runs in a folder."""
    return sorted(config.parent.name for config in folder.glob("*/config.yaml"))
