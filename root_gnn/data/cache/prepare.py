"""Prepares files once: each becomes a shard of the cache, written whole, by one process at a time."""

from __future__ import annotations

import contextlib
import gc
import hashlib
import os
import platform
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import as_completed
from dataclasses import dataclass, replace
from importlib import metadata as packages
from pathlib import Path
from typing import Any

import numpy as np

from root_gnn.atomic import atomic_folder
from root_gnn.console import log, progress, set_verbosity
from root_gnn.data.cache.shard import FORMAT, Meta, Shard, ShardWriter
from root_gnn.data.formats.checksum import checksum
from root_gnn.data.reading.read import open_records
from root_gnn.data.spec.spec import Spec
from root_gnn.errors import InputError
from root_gnn.parallel.executor import executor
from root_gnn.parallel.lock import exclusive_writer
from root_gnn.parallel.pool import Pool

CACHE_VARIABLE = "ROOT_GNN_CACHE"
CACHE_FOLDER = ".root_gnn_cache"
"""Name of the cache inside the data folder."""


@dataclass(frozen=True)
class PrepareJob:
    """One file to prepare with one spec, and the folder of its shard."""

    spec: Spec
    path: Path
    folder: Path


def prepare_shards(
    spec: Spec,
    files: Sequence[Path],
    *,
    data_dir: Path,
    jobs: int = 1,
    scheduler: str | None = None,
    slurm: Mapping[str, str] | None = None,
    skipped: dict[Path, str] | None = None,
) -> dict[Path, Shard]:
    """Returns the shards of `files`, in their order, and makes those that the cache lacks.

    A shard is reused while its source has the same size and time, or the same checksum, while the spec has the same
    content and while the shard's own checksums hold; otherwise it is built again. A second process that wants the same
    shard waits for the first and reuses its work.

    Args:
        spec: says what the files contain.
        files: paths of the files to prepare.
        data_dir: the folder that holds the cache; names of shards depend on the path of a file relative to it.
        jobs: number of files that are read at the same time on this machine.
        scheduler: address of a Dask cluster that reads the files instead; its workers see the same folders.
        slurm: parameters of sbatch; a job array reads the files instead, and its jobs see the same folders.
        skipped: receives the reason for each file that is left out because the spec has `on_bad_file: skip`.

    Raises InputError where a file is missing or does not fit the spec (shards of files read before it stay). With
    `on_bad_file: skip` such files are left out, and it is an error where none remains.
    """
    spec = spec.variation() if spec.systematics else spec
    todo = [PrepareJob(spec, path, shard_folder(spec, path, data_dir)) for path in files]
    for path in files:
        if not path.is_file():
            raise InputError(f"{path}: there is no such file; data paths are relative to the data folder, {data_dir}.")
    done = {job.path: shard for job in todo if (shard := reusable(job)) is not None}
    missing = list({job.path: job for job in todo if job.path not in done}.values())
    if missing:
        _make_cache_folder(cache_dir(data_dir))
        with progress(f"prepare {spec.name}", sum(_size(job) for job in missing), unit="kB") as meter:
            pool = executor(
                "Preparing",
                jobs=min(jobs, len(missing)),
                scheduler=scheduler,
                slurm=slurm,
                folder=cache_dir(data_dir),
                initializer=_show_warnings_only,
            )
            for job, result in _build_all(missing, pool, meter.advance):
                if isinstance(result, Shard):
                    done[job.path] = result
                elif skipped is not None:
                    skipped[job.path] = str(result)
    if files and not done:
        raise InputError(
            f"None of the {len(files)} files can be read with the spec {spec.name}; the reasons are above."
        )
    return {path: done[path] for path in files if path in done}


def cache_dir(data_dir: Path) -> Path:
    """Returns the folder for shards of files under `data_dir`: inside it, or its own folder in `$ROOT_GNN_CACHE`."""
    shared_cache = os.environ.get(CACHE_VARIABLE)
    if not shared_cache:
        return data_dir / CACHE_FOLDER
    resolved = data_dir.resolve()
    return Path(shared_cache) / f"{resolved.name}-{_short_hash(str(resolved))}"


def shard_folder(spec: Spec, path: Path, data_dir: Path) -> Path:
    """Returns the folder of the shard of a file, which is different for each file and each content of the spec."""
    full, base = path.resolve(), data_dir.resolve()
    name = str(full.relative_to(base)) if full.is_relative_to(base) else str(full)
    return cache_dir(data_dir) / f"{path.stem}-{_short_hash(spec.digest() + name)}"


def reusable(job: PrepareJob, *, log_reason: bool = True) -> Shard | None:
    """Returns the shard in the cache if it fits file and spec and is undamaged; otherwise logs the reason."""
    meta = Meta.load(job.folder)
    if meta is None:
        return None
    reason = _outdated(meta, job) or Shard(job.folder, meta).damage()
    if reason:
        if log_reason:
            log.info("%s: prepared again, because %s", job.path, reason)
        return None
    return Shard(job.folder, meta)


def build_shard(job: PrepareJob, advance: Callable[[int], None] | None = None) -> Shard:
    """Makes a shard under its lock, unless another process made it in the meantime.

    `advance` is called with the number of kB of the file that were read since the last call.
    """

    def announce_wait() -> None:
        log.info("%s is being prepared by another process; waiting for it", job.folder.name)

    with exclusive_writer(job.folder, announce_wait):
        shard = reusable(job, log_reason=False) if job.folder.exists() else None
        if shard is not None:
            if advance:
                advance(_size(job))
            return shard
        with atomic_folder(job.folder) as temporary, _frozen_imports():
            meta = _write(job, temporary, advance)
        return Shard(job.folder, meta)


@contextlib.contextmanager
def _frozen_imports() -> Iterator[None]:
    """Exempts all objects made so far from garbage collection, which saves a tenth of the time."""
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def _write(job: PrepareJob, folder: Path, advance: Callable[[int], None] | None) -> Meta:
    before, done = _source_facts(job.path), 0
    with open_records(job.path, job.spec) as records, ShardWriter(folder, job.spec) as writer:
        for start, stop in list(records.chunks()) or [(0, 0)]:
            graphs = records.piece(start, stop).arrays()
            records.findings.add_graphs(graphs, job.spec.globals)
            writer.append(graphs)
            if advance:
                before_this, done = done, _size(job) * stop // max(records.n_entry, 1)
                advance(done - before_this)
        facts = {**_source_facts(job.path), "xxh3_128": checksum(job.path)}
        if {name: facts[name] for name in before} != before:
            raise InputError(f"{job.path}: the file changed while it was read; prepare it again once it is complete.")
        return writer.finish(source=facts, versions=_versions(), metadata=records.metadata(), findings=records.findings)


def _build_all(
    todo: list[PrepareJob], pool: Pool | None, advance: Callable[[int], None]
) -> Iterator[tuple[PrepareJob, Shard | InputError]]:
    """Yields each job with its shard, or with its error where the spec says to skip bad files.

    Without a pool the shards are made in this process.
    """
    if pool is None:
        for job in todo:
            yield job, _unless_skipped(job, lambda job=job: build_shard(job, advance))  # type: ignore[misc]
        return
    with pool:
        futures = dict(zip(pool.submit_all(build_shard, [(job,) for job in todo]), todo, strict=True))
        try:
            for future in as_completed(futures):
                result = _unless_skipped(futures[future], future.result)
                advance(_size(futures[future]))
                yield futures[future], result
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _unless_skipped(job: PrepareJob, result: Callable[[], Shard]) -> Shard | InputError:
    try:
        return result()
    except InputError as error:
        if job.spec.on_bad_file == "stop":
            raise
        log.warning("skipped (on_bad_file: skip): %s", error)
        return error


def _show_warnings_only() -> None:
    set_verbosity(-1)


def _size(job: PrepareJob) -> int:
    """Returns the size of a file in kB: the number of entries is not known before the file is opened."""
    return int(job.path.stat().st_size) // 1000


def _outdated(meta: Meta, job: PrepareJob) -> str | None:
    if meta.format != FORMAT:
        return "the cache has an older format"
    if meta.spec_digest != job.spec.digest():
        return "the spec changed"
    facts = _source_facts(job.path)
    if facts["size"] != meta.source["size"]:
        return "the file changed"
    if facts["mtime_ns"] == meta.source["mtime_ns"]:
        return None
    if checksum(job.path) != meta.source["xxh3_128"]:
        return "the file changed"
    with contextlib.suppress(OSError):  # a read-only cache works too: it compares checksums each time
        replace(meta, source={**meta.source, **facts}).save(job.folder)
    return None


def _source_facts(path: Path) -> dict[str, Any]:
    status = path.stat()
    return {"name": path.name, "size": status.st_size, "mtime_ns": status.st_mtime_ns}


def _versions() -> Mapping[str, str]:
    try:
        own = packages.version("root_gnn")
    except packages.PackageNotFoundError:
        own = "source"
    return {"root_gnn": own, "numpy": np.__version__, "python": platform.python_version()}


def _make_cache_folder(folder: Path) -> None:
    reason = "no permission to write"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = str(error.strerror)
    if not os.access(folder, os.W_OK | os.X_OK):
        raise InputError(
            f"{folder}: the cache cannot be made here ({reason}). "
            f"Set {CACHE_VARIABLE} to a folder you may write to, on a local disk."
        )


def _short_hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]
