"""Files to shards of the cache, once: built beside, moved into place whole, locked against a second process."""

from __future__ import annotations

import contextlib
import fcntl
import gc
import glob
import hashlib
import multiprocessing
import os
import platform
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, as_completed
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
from root_gnn.parallel.dask_pool import dask_executor
from root_gnn.parallel.slurm_pool import SlurmPool

CACHE_VARIABLE = "ROOT_GNN_CACHE"
CACHE_FOLDER = ".root_gnn_cache"
"""Name of the cache inside the data folder."""


@dataclass(frozen=True)
class PrepareJob:
    """One file to prepare with one spec, and where its shard belongs."""

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
    """The shards of `files`, in their order, made where the cache has none that fits file and spec.

    A shard is reused while its source has the size and time it had, or the checksum, the spec says the same and its own
    checksums hold; otherwise it is built again. A second process that wants the same shard waits for the first and
    reuses its work. `jobs` files are read at a time, or as many as the Dask cluster at the address `scheduler` takes, or all in
    a job array of Slurm with the parameters `slurm`; workers and jobs see the same folders. Raises InputError where a file is
    not what the spec says (shards of files read before it stay); where the spec says `on_bad_file: skip` that file is left out,
    unless none remains, and `skipped` takes the reason.
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
            place = _executor(min(jobs, len(missing)), scheduler, slurm, cache_dir(data_dir))
            for job, made in _build_all(missing, place, meter.advance):
                if isinstance(made, Shard):
                    done[job.path] = made
                elif skipped is not None:
                    skipped[job.path] = str(made)
    if files and not done:
        raise InputError(
            f"None of the {len(files)} files can be read with the spec {spec.name}; the reasons are above."
        )
    return {path: done[path] for path in files if path in done}


def cache_dir(data_dir: Path) -> Path:
    """Where shards of files under `data_dir` are kept: inside it, or a folder of its own in `ROOT_GNN_CACHE`."""
    common = os.environ.get(CACHE_VARIABLE)
    if not common:
        return data_dir / CACHE_FOLDER
    place = data_dir.resolve()
    return Path(common) / f"{place.name}-{_short(str(place))}"


def shard_folder(spec: Spec, path: Path, data_dir: Path) -> Path:
    """The folder of a file's shard: one per file and spec, with a name that tells which."""
    full, base = path.resolve(), data_dir.resolve()
    name = str(full.relative_to(base)) if full.is_relative_to(base) else str(full)
    return cache_dir(data_dir) / f"{path.stem}-{_short(spec.digest() + name)}"


def reusable(job: PrepareJob, *, is_told: bool = True) -> Shard | None:
    """The shard in the cache, where it was made of this very file with this very spec and is undamaged; else the log tells why not."""
    meta = Meta.load(job.folder)
    if meta is None:
        return None
    reason = _outdated(meta, job) or Shard(job.folder, meta).damage()
    if reason:
        if is_told:
            log.info("%s: prepared again, because %s", job.path, reason)
        return None
    return Shard(job.folder, meta)


def build_shard(job: PrepareJob, advance: Any = None) -> Shard:
    """Makes the shard under its lock, unless another process made it while we waited."""
    with _locked(job.folder):
        shard = reusable(job, is_told=False) if job.folder.exists() else None
        if shard is not None:
            if advance:
                advance(_size(job))
            return shard
        _remove_leftovers(job.folder)
        with atomic_folder(job.folder) as temporary, _collecting_little():
            meta = _write(job, temporary, advance)
        return Shard(job.folder, meta)


@contextlib.contextmanager
def _collecting_little() -> Iterator[None]:
    """Keeps the garbage collector from going through everything that was imported, over and over: a tenth of the time otherwise."""
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def _write(job: PrepareJob, folder: Path, advance: Any) -> Meta:
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
    todo: list[PrepareJob], place: Executor | None, advance: Any
) -> Iterator[tuple[PrepareJob, Shard | InputError]]:
    """Each job with its shard, or what is wrong with the file where the spec says to skip bad ones; here without a `place`."""
    if place is None:
        for job in todo:
            yield job, _unless_skipped(job, lambda job=job: build_shard(job, advance))  # type: ignore[misc]
        return
    with place as pool:
        if isinstance(pool, SlurmPool):
            submitted = pool.submit_array(build_shard, [(job,) for job in todo])
        else:
            submitted = [pool.submit(build_shard, job) for job in todo]
        futures = dict(zip(submitted, todo, strict=True))
        try:
            for future in as_completed(futures):
                made = _unless_skipped(futures[future], future.result)
                advance(_size(futures[future]))
                yield futures[future], made
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


def _executor(n_process: int, scheduler: str | None, slurm: Mapping[str, str] | None, folder: Path) -> Executor | None:
    """Where files are read; None for this process."""
    if scheduler is not None and slurm is not None:
        raise InputError("--scheduler reads on a Dask cluster and --slurm on Slurm; give one of the two")
    if scheduler is not None:
        return dask_executor(scheduler)
    if slurm is not None:
        return SlurmPool(folder / "slurm", slurm, purpose="Preparing on Slurm")
    if n_process <= 1:
        return None
    context = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(n_process, context, initializer=set_verbosity, initargs=(-1,))


def _size(job: PrepareJob) -> int:
    """Size of a file in kB, for the progress bar; how many entries it has is not known before it is opened."""
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
    with contextlib.suppress(OSError):  # a cache that cannot be written serves as well, it compares checksums again
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


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    lock = folder.with_name(f"{folder.name}.lock")
    with lock.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            log.info("%s is being prepared by another process; waiting for it", folder.name)
            fcntl.flock(file, fcntl.LOCK_EX)
        yield  # closing the file gives the lock back, and so does the end of the process, whatever ends it


def _remove_leftovers(folder: Path) -> None:
    """Half-written folders of processes that were killed; whoever holds the lock is the only one at work here."""
    for leftover in folder.parent.glob(f".{glob.escape(folder.name)}.*"):
        shutil.rmtree(leftover, ignore_errors=True)


def _make_cache_folder(folder: Path) -> None:
    reason = "no permission to write"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = str(error.strerror)
    if not os.access(folder, os.W_OK | os.X_OK):
        raise InputError(
            f"{folder}: the cache cannot be made here ({reason}). Set {CACHE_VARIABLE} to a folder you may write to, on a local disk."
        )


def _short(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]
