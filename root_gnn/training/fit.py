"""One call of Lightning's Trainer, set up so that a run can be killed at any moment and go on to the same result."""

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
    """What a finished training reports: the best epoch (from 1), training seconds and events seen, over all resumes."""

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
        train_loader: makes the batches of one process from its rank and the number of processes.
        folder: the run folder; `history.csv`, `tensorboard/` and `checkpoints/` are written there.
        n_graph: graphs that an epoch of training goes through, over all ranks.
        resume: go on from `checkpoints/last.ckpt` where there is one.
        shape: what the batches of one process are padded to; None leaves them as they are.

    Raises InputError where the monitored value is not measured, or never was a finite number, and where nothing can be compiled.
    """
    checkpoints = Checkpoints(
        folder / "checkpoints",
        monitor=train.monitor,
        mode=train.monitor_mode,
        every=train.checkpoint_every,
        keep=train.keep_epochs,
    )
    history = History(folder / "history.csv", log_every=train.log_every, batch_size=train.batch_size)
    callbacks: list[pl.Callback] = [
        RandomState(seed),
        history,
        Throughput(name, n_graph=n_graph),
        Interrupt(checkpoints),
        checkpoints,
    ]
    if not isinstance(objective, Supervised):
        callbacks[1:1] = [Collapse(name, then=train.on_collapse), Probe(train.probe_events)]
    if train.early_stopping is not None:
        callbacks.append(
            EarlyStopping(train.monitor, mode=train.monitor_mode, patience=train.early_stopping, strict=False)
        )
    from_checkpoint = checkpoints.last_path if resume and checkpoints.last_path.exists() else None
    if resume:
        log.info(
            "%s: %s",
            name,
            f"going on from {from_checkpoint}" if from_checkpoint else "no checkpoint yet, starting anew",
        )
    with _quiet(), torch.random.fork_rng():
        world = math.prod(processes(train))
        shared = world > 1 and train.strategy == "fsdp"
        how: Strategy | None = None
        if world > 1:
            how = fsdp_strategy(world) if shared else ddp_strategy(objective, train_loader(0, world))
        rejoin_process_group()
        trainer = _trainer(train, folder, callbacks, how)
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
        fast = compiled(objective.encoder, fixed_shapes=shape is not None) if train.compile else nullcontext()
        with _honest_exit(), report_lost_peer(), fast:
            trainer.fit(module, batches, validation_loader, ckpt_path=from_checkpoint, weights_only=True)
    if checkpoints.best is None:
        raise InputError(
            f"{train.monitor} was not a finite number after any epoch of {name}, so no epoch is the best one; "
            f"{folder / 'history.csv'} shows when it went wrong. Lower optim.lr, or look for extreme weights in the data."
        )
    load_weights(objective, checkpoints.best_path)
    device = torch.cuda.get_device_name(0) if module.device.type == "cuda" else module.device.type
    return FitResult(checkpoints.best_epoch + 1, history.seconds, history.n_graph, device)


def _trainer(train: TrainConfig, folder: Path, callbacks: list[pl.Callback], how: Strategy | None) -> pl.Trainer:
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
        strategy=how or "auto",
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
    # Lightning would ask the first process before every step whether it was told to stop, and wait for the device; `Interrupt` does.
    trainer.fit_loop.epoch_loop._broadcast_sigterm_tensor = _nothing  # type: ignore[method-assign]
    return trainer


def _nothing() -> None:
    pass


class _quiet:
    """Lightning's advice and device table are not for our users; its real warnings stay."""

    def __enter__(self) -> None:
        self._logger = logging.getLogger("lightning.pytorch")
        self._level = self._logger.level
        self._logger.setLevel(logging.WARNING)
        self._caught = warnings.catch_warnings()
        self._caught.__enter__()
        warnings.filterwarnings("ignore", message=".*does not have many workers.*")
        warnings.filterwarnings("ignore", message=".*number of training batches.*")
        warnings.filterwarnings("ignore", message=".*treespec, LeafSpec.*")
        warnings.filterwarnings(
            "ignore", message=".*in eval mode at the start of training.*"
        )  # a target network is meant to be
        warnings.filterwarnings("ignore", message=".*Checkpoint directory.*exists and is not empty.*")
        warnings.filterwarnings("ignore", message=".*resuming from a checkpoint that ended before.*")

    def __exit__(self, *exception: object) -> None:
        self._caught.__exit__(None, None, None)
        self._logger.setLevel(self._level)


@contextmanager
def _honest_exit() -> Iterator[None]:
    """Lightning's way out when it is told to end before `Interrupt` listens leaves with code 0 or 1."""
    try:
        yield
    except SIGTERMException:
        raise SystemExit(143) from None
    except SystemExit as left:
        if isinstance(left.__context__, KeyboardInterrupt):
            raise KeyboardInterrupt from None
        raise


def load_weights(objective: Objective, checkpoint: Path) -> None:
    """Loads a checkpoint's weights into the whole objective, strictly; raises InputError where they are not its own."""
    tensors = part(weights(checkpoint), "objective")
    try:
        objective.load_state_dict(tensors, strict=True)
    except RuntimeError as error:
        raise InputError(
            f"the weights in {checkpoint} do not fit the recipe beside them: {' '.join(str(error).split())[:300]}"
        ) from error


def weights(checkpoint: Path) -> dict[str, torch.Tensor]:
    """All tensors of a checkpoint by name; nothing in the file is executed. Raises InputError where it is no checkpoint, or damaged."""
    try:
        found: dict[str, torch.Tensor] = torch.load(checkpoint, map_location="cpu", weights_only=True)["state_dict"]
    except Exception as error:  # torch raises many kinds, some of a module that this package does not import
        raise InputError(
            f"{checkpoint} cannot be read as a checkpoint: it is damaged or holds more than weights, and none of it was run "
            f"({type(error).__name__}). Take another checkpoint, or train the run again."
        ) from error
    return found


def part(state: dict[str, torch.Tensor], prefix: str) -> dict[str, torch.Tensor]:
    """The tensors of one submodule of a state dict, named as it names them itself."""
    return {name.removeprefix(f"{prefix}."): value for name, value in state.items() if name.startswith(f"{prefix}.")}
