"""One training with Lightning's Trainer; a run that is killed at any moment resumes to the same result."""

from __future__ import annotations

import copy
import logging
import math
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import lightning.pytorch as pl
import torch
from lightning.pytorch.loggers import TensorBoardLogger
from lightning.pytorch.strategies import Strategy
from lightning.pytorch.utilities.exceptions import SIGTERMException
from torch.utils.data import DataLoader

from root_gnn.console import log
from root_gnn.errors import InputError
from root_gnn.graph.batch import Batch
from root_gnn.graph.static import Shape
from root_gnn.protocols import Augmentation, Objective, Supervised
from root_gnn.training.callbacks.checkpoints import Checkpoints
from root_gnn.training.callbacks.collapse import Collapse
from root_gnn.training.callbacks.early_stopping import EarlyStopping
from root_gnn.training.callbacks.history import History
from root_gnn.training.callbacks.interrupt import Interrupt
from root_gnn.training.callbacks.probe import Probe
from root_gnn.training.callbacks.random_state import RandomState
from root_gnn.training.callbacks.throughput import Throughput
from root_gnn.training.compiled import compiled
from root_gnn.training.config import TrainConfig
from root_gnn.training.ddp import ddp_strategy
from root_gnn.training.fsdp import fsdp_strategy
from root_gnn.training.module import TrainingModule
from root_gnn.training.optim import OptimConfig
from root_gnn.training.precision import Float64
from root_gnn.training.processes import processes, rejoin_process_group, report_lost_peer, seed_of, slurm_environment

Loader = DataLoader[Batch]


@dataclass(frozen=True)
class FitResult:
    """The outcome of a training.

    Attributes:
        best_epoch: the epoch whose weights are used, counted from 1.
        seconds: duration of the training, over all resumes.
        n_event: training events processed, over all epochs and resumes.
        device: name of the device.
    """

    best_epoch: int
    seconds: float
    n_event: int
    device: str


def fit(
    objective: Objective,
    train_loader: Callable[[int, int], Loader],
    validation_loader: Loader,
    *,
    train: TrainConfig,
    optim: OptimConfig,
    augmentations: Sequence[Augmentation],
    seed: int,
    folder: Path,
    name: str,
    n_graph: int,
    resume: bool,
    shape: Shape | None = None,
) -> FitResult:
    """Trains `objective` and leaves it with the weights of the best epoch.

    Args:
        objective: the objective with its initial weights.
        train_loader: makes the training batches of one process from its rank and the number of processes.
        validation_loader: the validation batches, the same in all processes.
        train: the `train` section of the recipe.
        optim: the `optim` section of the recipe.
        augmentations: applied to every training batch, in this order.
        seed: seed of augmentations, views and dropout.
        folder: the run folder; `history.csv`, `tensorboard/` and `checkpoints/` are written there.
        name: the run's name in log lines.
        n_graph: graphs of one training epoch, over all ranks.
        resume: continue from `checkpoints/last.ckpt` if it exists.
        shape: the shape that the batches of one process are padded to; None leaves them unpadded.

    Raises InputError where the monitored quantity is unknown or was never finite, and where compilation fails.
    """
    callbacks = _Callbacks.of(objective, train, folder=folder, name=name, seed=seed, n_graph=n_graph)
    checkpoints = callbacks.checkpoints
    from_checkpoint = checkpoints.last_path if resume and checkpoints.last_path.exists() else None
    if resume:
        log.info(
            "%s: %s",
            name,
            f"going on from {from_checkpoint}" if from_checkpoint else "no checkpoint yet, starting anew",
        )
    with _quiet_lightning(), torch.random.fork_rng():
        world = math.prod(processes(train))
        shared = world > 1 and train.strategy == "fsdp"
        strategy: Strategy | None = None
        if world > 1:
            strategy = fsdp_strategy(world) if shared else ddp_strategy(objective, train_loader(0, world))
        rejoin_process_group()
        trainer = _trainer(train, folder, callbacks.all, strategy)
        torch.manual_seed(seed_of(seed, trainer.global_rank))
        batches = train_loader(trainer.global_rank, trainer.world_size)
        steps_per_epoch = math.ceil(len(batches) / train.accumulate)
        n_step = min(train.max_epochs * steps_per_epoch, train.max_steps or train.max_epochs * steps_per_epoch)
        module = TrainingModule(
            copy.deepcopy(objective) if shared else objective,
            optim,
            augmentations=augmentations,
            seed=seed,
            n_step=n_step,
            steps_per_epoch=steps_per_epoch,
            shape=shape,
            sharded=shared,
        )
        compilation = compiled(objective.encoder, fixed_shapes=shape is not None) if train.compile else nullcontext()
        with _exit_codes(), report_lost_peer(), compilation:
            trainer.fit(module, batches, validation_loader, ckpt_path=from_checkpoint, weights_only=True)
    if checkpoints.best is None:
        raise InputError(
            f"{train.monitor} was not a finite number after any epoch of {name}, so no epoch is the best one; "
            f"{folder / 'history.csv'} shows when it went wrong. "
            "Lower optim.lr, or look for extreme weights in the data."
        )
    load_weights(objective, checkpoints.best_path)
    device = torch.cuda.get_device_name(0) if module.device.type == "cuda" else module.device.type
    return FitResult(checkpoints.best_epoch + 1, callbacks.history.seconds, callbacks.history.n_graph, device)


@dataclass(frozen=True)
class _Callbacks:
    """The callbacks of one training, in the order in which Lightning calls them, and two of them by name."""

    all: list[pl.Callback]
    checkpoints: Checkpoints
    history: History

    @classmethod
    def of(
        cls, objective: Objective, train: TrainConfig, *, folder: Path, name: str, seed: int, n_graph: int
    ) -> _Callbacks:
        """Makes the callbacks.

        Args:
            objective: decides whether validation needs a probe and a check for collapse.
            train: the `train` section of the recipe.
            folder: the run folder.
            name: the run's name in log lines.
            seed: seed of the random state of each epoch.
            n_graph: graphs of one training epoch, over all ranks.
        """
        checkpoints = Checkpoints(
            folder / "checkpoints",
            monitor=train.monitor,
            mode=train.monitor_mode,
            every=train.checkpoint_every,
            keep=train.keep_epochs,
        )
        history = History(folder / "history.csv", log_every=train.log_every, batch_size=train.batch_size)
        callbacks: list[pl.Callback] = [RandomState(seed)]
        if not isinstance(objective, Supervised):
            callbacks += [Collapse(name, then=train.on_collapse), Probe(train.probe_events)]
        callbacks += [history, Throughput(name, n_graph=n_graph), Interrupt(checkpoints), checkpoints]
        if train.early_stopping is not None:
            callbacks.append(
                EarlyStopping(train.monitor, mode=train.monitor_mode, patience=train.early_stopping, strict=False)
            )
        return cls(callbacks, checkpoints, history)


def _trainer(train: TrainConfig, folder: Path, callbacks: list[pl.Callback], strategy: Strategy | None) -> pl.Trainer:
    devices, num_nodes = processes(train)
    plugins = slurm_environment()
    if train.precision == "f64":
        plugins.append(Float64())
    trainer = pl.Trainer(
        default_root_dir=folder,
        accelerator="auto",
        devices=devices,
        num_nodes=num_nodes,
        precision={32: "32-true", "bf16": "bf16-mixed", "f64": None}[train.precision],
        strategy=strategy or "auto",
        max_epochs=train.max_epochs,
        accumulate_grad_batches=train.accumulate,
        logger=TensorBoardLogger(folder, name="", version="tensorboard", default_hp_metric=False),
        callbacks=callbacks,
        plugins=plugins,
        num_sanity_val_steps=0,
        use_distributed_sampler=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        enable_checkpointing=True,
        log_every_n_steps=train.log_every,
    )
    # Before every step Lightning broadcasts whether SIGTERM arrived, and waits for the device; `Interrupt` does that.
    trainer.fit_loop.epoch_loop._broadcast_sigterm_tensor = _nothing  # type: ignore[method-assign]
    return trainer


def _nothing() -> None:
    pass


@contextmanager
def _quiet_lightning() -> Iterator[None]:
    """Silences Lightning's advice and its table of devices inside the block; its other warnings stay."""
    logger = logging.getLogger("lightning.pytorch")
    level = logger.level
    logger.setLevel(logging.WARNING)
    with warnings.catch_warnings():
        for advice in (
            ".*does not have many workers.*",
            ".*number of training batches.*",
            ".*treespec, LeafSpec.*",
            ".*in eval mode at the start of training.*",  # a target network always is
            ".*Checkpoint directory.*exists and is not empty.*",
            ".*resuming from a checkpoint that ended before.*",
        ):
            warnings.filterwarnings("ignore", message=advice)
        try:
            yield
        finally:
            logger.setLevel(level)


@contextmanager
def _exit_codes() -> Iterator[None]:
    """Restores exit code 143 of SIGTERM and KeyboardInterrupt, which Lightning turns into codes 0 and 1."""
    try:
        yield
    except SIGTERMException:
        raise SystemExit(143) from None
    except SystemExit as left:
        if isinstance(left.__context__, KeyboardInterrupt):
            raise KeyboardInterrupt from None
        raise


def load_weights(objective: Objective, checkpoint: Path) -> None:
    """Loads the weights of a checkpoint into the objective; raises InputError where names or shapes differ."""
    tensors = part(weights(checkpoint), "objective")
    try:
        objective.load_state_dict(tensors, strict=True)
    except RuntimeError as error:
        raise InputError(
            f"the weights in {checkpoint} do not fit the recipe in the same folder: "
            f"{' '.join(str(error).split())[:300]}"
        ) from error


def weights(checkpoint: Path) -> dict[str, torch.Tensor]:
    """Returns all tensors of a checkpoint by name, without executing anything in the file.

    Raises InputError where the file is damaged or is no checkpoint.
    """
    try:
        tensors: dict[str, torch.Tensor] = torch.load(checkpoint, map_location="cpu", weights_only=True)["state_dict"]
    except Exception as error:  # torch raises errors of many classes, some from modules that are not imported here
        raise InputError(
            f"{checkpoint} cannot be read as a checkpoint: it is damaged or holds more than weights, "
            f"and none of it was run ({type(error).__name__}). Take another checkpoint, or train the run again."
        ) from error
    return tensors


def part(state: dict[str, torch.Tensor], prefix: str) -> dict[str, torch.Tensor]:
    """Returns the tensors of the submodule `prefix` of a state dict, under the submodule's own names."""
    return {name.removeprefix(f"{prefix}."): value for name, value in state.items() if name.startswith(f"{prefix}.")}
