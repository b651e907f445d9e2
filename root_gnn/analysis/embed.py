"""Representations of a trained encoder: a file, a picture of two components, and two figures that show collapse.

| figure | is | collapse looks like |
|---|---|---|
| mean cosine similarity | of pairs of different events, as the encoder gives them | 1: all events point the same way |
| effective rank | exp(entropy) of the normalised singular values, after centring | 1 |

The effective rank is that of Roy & Vetterli 2007, EUSIPCO, p. 606.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from numpy.typing import NDArray
from torch import Tensor

from root_gnn import plots
from root_gnn.analysis.cka import BATCH_SIZE, drawn
from root_gnn.atomic import atomic_file, write_json
from root_gnn.console import log, progress
from root_gnn.data.events.loader import evaluation_loader
from root_gnn.data.events.splits import split_table
from root_gnn.data.events.table import EventTable
from root_gnn.errors import InputError, MissingExtraError, suggest
from root_gnn.graph.batch import Batch
from root_gnn.protocols import Encoder
from root_gnn.runs.run import Run, SplitName, load_run
from root_gnn.typing import Floats, Index

Method = Literal["pca", "tsne", "umap"]
AXES = {"pca": ("PC 1", "PC 2"), "tsne": ("t-SNE 1", "t-SNE 2"), "umap": ("UMAP 1", "UMAP 2")}
FEWEST = 5
SEED = 1


@dataclass(frozen=True)
class Embedding:
    """Representations of events, two components of them, and the figures of the module's docstring.

    Attributes:
        z: representations, `(n_event, dim)`.
        components: `(n_event, 2)`.
        label: class of each event, `(n_event,)`, an index into `classes`.
        variance_explained: the two components' share of the variance, for PCA only.

    A figure is None where it is not defined, as for representations that are all the same.
    """

    z: Floats
    components: Floats
    label: Index
    classes: tuple[str, ...]
    method: Method
    mean_cosine: float | None
    effective_rank: float | None
    variance_explained: float | None

    def __str__(self) -> str:
        figures = {
            "mean cosine similarity": self.mean_cosine,
            "effective rank": self.effective_rank,
            "variance in the picture": self.variance_explained,
        }
        known = ", ".join(f"{name} {value:.3g}" for name, value in figures.items() if value is not None)
        return f"{len(self.z):,} events in {self.z.shape[1]} dimensions: {known or 'all the same'}"

    @property
    def axis_names(self) -> tuple[str, str]:
        """Labels of the two axes of the picture, for PCA with each component's share of the variance."""
        first, second = AXES[self.method]
        if self.variance_explained is None:
            return first, second
        shares = 100.0 * self.components.var(axis=0) / self.z.var(axis=0).sum()
        return f"{first} ({shares[0]:.0f} % of the variance)", f"{second} ({shares[1]:.0f} %)"


def embed(
    run: Run | Path | str,
    *,
    method: Method = "pca",
    data_dir: Path | None = None,
    split: SplitName = "test",
    events: int = 5000,
    allow_plugins: Collection[str] = (),
) -> Embedding:
    """Writes `embedding/<split>_<method>.parquet`, `.png` and `.json` into the run's folder.

    The file holds, in record order, the id columns, `label` where events have classes, the representation `z_0 ...` and
    two components, for PCA `pca_1` and `pca_2`.

    Args:
        run: a run folder, a name, a packed run or a `Run`.
        method: `pca` (linear), `tsne` (van der Maaten & Hinton 2008) or `umap` (arXiv:1802.03426, needs the extra
            `embed`).
        data_dir: where the data paths of the run start.
        split: the split whose events are taken.
        events: how many events of the split, drawn the same way each time.
        allow_plugins: modules of one's own that the run may import.

    Raises:
        InputError: for an unknown method and for fewer than five events.
    """
    if method not in AXES:
        raise InputError(f"--method {method}: there is no such method{suggest(method, AXES)}")
    opened = run if isinstance(run, Run) else load_run(run, allow_plugins=allow_plugins)
    opened.check_keeps_results()
    table = opened.table(data_dir)
    index = drawn(split_table(table, opened.recipe.data.split)[split], events)
    if len(index) < FEWEST:
        raise InputError(
            f"An embedding needs at least {FEWEST} events, and the {split} split of {opened.folder} has {len(index)}."
        )
    z = graph_representations(opened.encoder, table, index, title=opened.name)
    components, explained = reduced(z, method)
    found = Embedding(
        z,
        components,
        table.label[index].astype(np.int64),
        table.classes,
        method,
        mean_cosine=mean_cosine(z),
        effective_rank=effective_rank(z),
        variance_explained=explained,
    )
    path = opened.folder / "embedding" / f"{split}_{method}.parquet"
    _write(path, found, table, index)
    picture = path.with_suffix(".png")
    plots.embedding(found.components, found.label, found.classes or ("events",), picture, axis_names=found.axis_names)
    write_json(
        path.with_suffix(".json"),
        {
            "split": split,
            "n_events": len(index),
            "method": method,
            "mean_cosine": found.mean_cosine,
            "effective_rank": found.effective_rank,
            "variance_explained": found.variance_explained,
        },
    )
    log.info("%s, %s: %s", path, picture.name, found)
    return found


def graph_representations(encoder: Encoder, table: EventTable, index: Index, *, title: str) -> Floats:
    """Returns what heads read, the encoded `globals`, for the events `index (n,)` of a table: `(n, dim)`."""
    return of_each_event(lambda batch: encoder(batch).globals, table, index, title=f"encode with {title}")


def of_each_event(what: Callable[[Batch], Tensor], table: EventTable, index: Index, *, title: str) -> Floats:
    """Returns `what(batch) (n_graph, dim)` for the events `index (n,)` of a table, without gradients: `(n, dim)`."""
    with torch.inference_mode(), progress(title, len(index)) as meter:
        parts = []
        for batch in evaluation_loader(table, index, BATCH_SIZE):
            parts.append(what(batch).double().numpy())
            meter.advance(batch.n_graph)
    return np.concatenate(parts)


def reduced(z: Floats, method: Method) -> tuple[Floats, float | None]:
    """Reduces `z (n_event, dim)` to two components `(n_event, 2)`.

    The second value is the share of the variance in them; None where the method does not tell.
    """
    if method == "pca":
        return pca(z)
    if method == "tsne":
        from sklearn.manifold import TSNE

        perplexity = min(30.0, (len(z) - 1) / 3.0)
        found = TSNE(2, perplexity=perplexity, init="pca", random_state=SEED).fit_transform(z)
    else:
        try:
            import umap
        except ImportError as error:
            raise MissingExtraError("umap-learn", "embed", "The embedding method umap") from error
        found = umap.UMAP(n_components=2, random_state=SEED, n_jobs=1).fit_transform(z)
    return np.asarray(found, dtype=np.float64), None


def pca(z: Floats) -> tuple[Floats, float | None]:
    """Returns the two directions of largest variance of `z (n_event, dim)`; a direction's largest weight is positive.

    The share of variance is None where there is no variance.
    """
    centred = z - z.mean(axis=0)
    left, singular, right = np.linalg.svd(centred, full_matrices=False)
    components = np.zeros((len(z), 2))
    n = min(2, len(singular))
    largest = np.take_along_axis(right[:n], np.abs(right[:n]).argmax(axis=1)[:, None], axis=1)[:, 0]
    components[:, :n] = left[:, :n] * singular[:n] * np.where(largest < 0.0, -1.0, 1.0)
    total = float(np.sum(singular**2))
    return components, float(np.sum(singular[:n] ** 2)) / total if total > 0.0 else None


def mean_cosine(z: Floats) -> float | None:
    """Mean cosine similarity over pairs of different events of `z (n_event, dim)`; None where one is all zero."""
    length = np.linalg.norm(z, axis=1)
    if np.any(length == 0.0):
        return None
    n = len(z)
    return float((np.sum(np.sum(z / length[:, None], axis=0) ** 2) - n) / (n * (n - 1)))


def effective_rank(z: Floats) -> float | None:
    """Effective rank of `z (n_event, dim)` after centring, between 1 and `dim`; None where all events are the same."""
    singular = np.linalg.svd(z - z.mean(axis=0), compute_uv=False)
    if singular.sum() <= 1e-12 * np.abs(z).max(initial=0.0) * len(z):
        return None
    share = singular[singular > 0.0] / singular.sum()
    return float(np.exp(-np.sum(share * np.log(share))))


def _write(path: Path, found: Embedding, table: EventTable, index: Index) -> None:
    columns: dict[str, NDArray[Any]] = {name: table.ids[index, k] for k, name in enumerate(table.spec.id_names)}
    if found.classes:
        columns["label"] = found.label
    columns |= {f"z_{k}": found.z[:, k].astype(np.float32) for k in range(found.z.shape[1])}
    columns |= {f"{found.method}_{k + 1}": found.components[:, k] for k in range(2)}
    with atomic_file(path) as temporary:
        pq.write_table(pa.table(columns), temporary, compression="zstd")
