"""`root-gnn predict`: scores the entries of files, and writes a file of scores for each."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from root_gnn.console import log, progress
from root_gnn.data.cache.prepare import cache_dir, prepare_shards
from root_gnn.data.cache.shard import Shard
from root_gnn.data.events.config import find_files
from root_gnn.data.events.table import EventTable
from root_gnn.data.formats.checksum import fingerprint
from root_gnn.data.formats.score_file import without_scores
from root_gnn.data.hygiene.report import FileSet, refuse
from root_gnn.data.reading.read import open_records
from root_gnn.data.spec.spec import Spec
from root_gnn.errors import InputError
from root_gnn.prediction.alignment import EntryAlignment
from root_gnn.prediction.blinding import Blinding
from root_gnn.prediction.files import Aligned, ScoreFormat, note_of, write_scores
from root_gnn.prediction.networks import Networks, Scores
from root_gnn.runs.run import Run, load_run, reading_spec

SCORED, LEFT_OUT, BLINDED = 0, 1, 2
"""Values of the branch `status`; the scores are NaN unless it is 0."""
NOTE_FORMAT = 2


@dataclass(frozen=True)
class PredictionOptions:
    """What is written for every file.

    Attributes:
        networks: the networks that score.
        spec: how files are read, before a variation is chosen.
        variations: systematic variations, one score set each; `(None,)` for the nominal one without a name.
        embeddings: whether representations are written too.
        form: format of the files of scores.
        blind: `CLASS>THRESHOLD`; None without blinding.
        device: where the networks run.
        prepared: the files read so far, whose momenta have to be in one unit.
    """

    networks: Networks
    spec: Spec
    variations: tuple[str | None, ...]
    embeddings: bool
    form: ScoreFormat
    blind: str | None
    device: str
    prepared: dict[Path, Shard] = field(default_factory=dict)

    @cached_property
    def made_of(self) -> list[dict[str, str]]:
        """Names of the networks and digests of their weights."""
        return [{"name": run.name, "weights": run.weights_digest} for run in self.networks.runs]

    def note(self, path: Path) -> dict[str, Any]:
        """Returns everything that the scores of a file depend on."""
        return {
            "format": NOTE_FORMAT,
            "input": {"name": path.name, "bytes": path.stat().st_size, "fingerprint": fingerprint(path)},
            "runs": self.made_of,
            "spec": self.spec.digest(),
            "variations": list(self.variations),
            "embeddings": self.embeddings,
            "blind": self.blind,
        }


def predict(
    run: Run | Path | str,
    files: Sequence[Path | str],
    *,
    out: Path | str,
    others: Sequence[Run | Path | str] = (),
    systematics: bool = False,
    embeddings: bool = False,
    form: ScoreFormat = "root",
    blind: str | None = None,
    spec: str | None = None,
    part: str | None = None,
    overwrite: bool = False,
    device: str | None = None,
    allow_plugins: Collection[str] = (),
) -> list[Path]:
    """Writes `OUT/<file>.scores.root` (or `.parquet`) for each input file, aligned with it entry by entry.

    Files of scores that are complete are not written again.

    Args:
        run: the run whose network scores.
        files: names or patterns of the input files.
        out: folder for the files of scores.
        others: further runs: other seeds, whose mean and spread are written, or the other folds of a k-fold split. An
            event is then scored by the runs that tested on its fold, never by one that trained on it.
        systematics: writes a score set per variation of the spec, `score_<class>_<variation>`.
        embeddings: also writes `embedding_<k>`, the input of the head.
        form: `root` or `parquet`.
        blind: `CLASS>THRESHOLD`; events with a larger score are flagged and their scores are not written.
        spec: data spec for the files, if they differ from those of the training.
        part: `K/N`: every N-th file from the K-th on (from 1), to share the work among N jobs.
        overwrite: replaces existing files of scores.
        device: `cpu` or `cuda`; by default a GPU if there is one.
        allow_plugins: modules of the user's own that the run may import.

    Returns the files of scores, old and new. Raises InputError if runs do not fit together or do not fit the files, a
    file does not fit the spec, two inputs have the same name, or a file of scores was made from something else.
    """
    opened = [each if isinstance(each, Run) else load_run(each, allow_plugins=allow_plugins) for each in (run, *others)]
    networks = Networks.of(opened)
    networks.check(embeddings=embeddings)
    if blind is not None:
        Blinding.parse(blind, networks.outputs)
    reading = _reading(opened, spec)
    variations = _variations(reading, systematics)
    options = PredictionOptions(
        networks,
        reading,
        variations,
        embeddings,
        form,
        blind,
        device or ("cuda" if torch.cuda.is_available() else "cpu"),
    )
    inputs = without_scores(find_files(tuple(map(str, files)), Path()))
    if files and not inputs:
        raise InputError(f"{', '.join(map(str, files))}: these are files of scores; name the files to score")
    targets = _share(_targets(inputs, Path(out), form), part)
    written: list[Path] = []
    with progress("predict", len(targets), unit="files") as meter:
        for path, target in targets.items():
            if overwrite or not _is_done(target, options.note(path), form):
                _one_file(path, target, options)
            if target.exists():
                written.append(target)
            meter.advance(1, target.name)
    if targets and not written:
        raise InputError(
            f"none of the {len(targets)} files could be read with the spec {options.spec.name}; the reasons are above"
        )
    return written


def _one_file(path: Path, target: Path, options: PredictionOptions) -> None:
    """Scores one file; with `on_bad_file: skip` in the spec a file that cannot be read is skipped."""
    try:
        write_scores(target, _aligned(path, target.parent, options), options.note(path), form=options.form)
    except InputError as error:
        if options.spec.on_bad_file == "stop":
            raise
        log.warning("skipped (on_bad_file: skip): %s", error)


def _aligned(path: Path, out: Path, options: PredictionOptions) -> Aligned:
    """Scores a file and returns all columns to write."""
    sets: dict[str, tuple[EntryAlignment, NDArray[np.int8], Scores, NDArray[np.int64]]] = {}
    for name in options.variations:
        spec = options.spec.variation(name).model_copy(update={"on_bad_file": "stop"})
        with _prepared(spec, path, out) as shard:
            _check_ids(path, spec, options.networks)
            if name == options.variations[0]:
                refuse(FileSet({**options.prepared, path: shard}, spec, is_one_set=False))
                options.prepared[path] = shard  # the arrays are removed soon, its manifest stays in memory
            table = EventTable([shard], spec, files=[path])
            alignment = EntryAlignment.of(path, spec, shard, whole_events=options.networks.whole_events)
            scores = options.networks.on(table, device=options.device, embeddings=options.embeddings)
            status = alignment.spread(np.full(len(table), SCORED, dtype=np.int8), LEFT_OUT)
            sets["" if name is None else f"_{name}"] = alignment, status, scores, np.array(table.ids[:])
    first = next(iter(sets.values()))[0]
    if any(not alignment.is_same(first) for alignment, *_ in sets.values()):
        raise InputError(
            f"{path}: the list {options.spec.graph_per} has other lengths in some variations, "
            "so their scores cannot stand side by side; predict one variation at a time, with a spec of its own"
        )
    hidden = _hidden(sets, options)
    columns: dict[str, NDArray[Any]] = {}
    for suffix, (alignment, status, scores, _) in sets.items():
        status[hidden & (status == SCORED)] = BLINDED
        columns[f"status{suffix}"] = status
        for name, values in _named(scores, options.networks.outputs).items():
            columns[f"{name}{suffix}"] = np.where(
                status == SCORED, alignment.spread(values.astype(np.float32), np.nan), np.float32(np.nan)
            )
    ids, is_known = _ids(sets, options)
    return Aligned(columns, ids, is_known, first.per_entry, first.trees)


def _named(scores: Scores, outputs: Sequence[str]) -> dict[str, NDArray[np.float64]]:
    """Returns scores by the names of their branches."""
    named = {f"score_{name}": scores.mean[:, i_output] for i_output, name in enumerate(outputs)}
    if scores.spread is not None:
        named |= {f"spread_{name}": scores.spread[:, i_output] for i_output, name in enumerate(outputs)}
    if scores.embedding is not None:
        named |= {
            f"embedding_{i_output}": scores.embedding[:, i_output] for i_output in range(scores.embedding.shape[1])
        }
    return named


def _hidden(
    sets: Mapping[str, tuple[EntryAlignment, Any, Scores, Any]], options: PredictionOptions
) -> NDArray[np.bool_]:
    """Returns which slots are blinded, `(n_place,)`: above the threshold in any score set, which would reveal them."""
    hidden = np.zeros(next(iter(sets.values()))[0].n_place, dtype=bool)
    if options.blind is not None:
        blinding = Blinding.parse(options.blind, options.networks.outputs)
        for alignment, _, scores, _ in sets.values():
            hidden |= alignment.spread(blinding.hides(scores.mean), False)
    return hidden


def _ids(
    sets: Mapping[str, tuple[EntryAlignment, Any, Any, NDArray[np.int64]]], options: PredictionOptions
) -> tuple[dict[str, NDArray[np.int64]], Any]:
    """Returns the id columns by slot, and the slots for which they are known; whole events lack the last id."""
    names = list(options.spec.id_names)
    names = names[:-1] if options.networks.whole_events and options.spec.graph_per is not None else names
    n_place = next(iter(sets.values()))[0].n_place
    ids, is_known = {name: np.zeros(n_place, dtype=np.int64) for name in names}, np.zeros(n_place, dtype=bool)
    for alignment, _, _, values in sets.values():
        is_known[alignment.of_graph] = True
        for column, name in enumerate(names):
            ids[name][alignment.of_graph] = values[:, column]
    return ids, is_known


@contextmanager
def _prepared(spec: Spec, path: Path, out: Path) -> Iterator[Shard]:
    """Prepares a file in a temporary folder, so that nothing is left next to the inputs."""
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".prepared.", dir=out) as scratch:
        try:
            yield prepare_shards(spec, [path], data_dir=Path(scratch))[path]
        finally:
            shutil.rmtree(cache_dir(Path(scratch)), ignore_errors=True)


def _check_ids(path: Path, spec: Spec, networks: Networks) -> None:
    """Raises InputError if folds depend on ids that the file does not have."""
    if networks.split is None:
        return
    with open_records(path, spec) as records:
        if not records.selection.ids:
            wanted = ", ".join(value.text for value in spec.id) or "an `id`"
            raise InputError(
                f"{path}: the fold of an event is told by its id, and the file lacks {wanted} (spec {spec.name}); "
                "without it an event may be scored by a network that was trained on it. "
                "Add the branch, or name a run without folds."
            )


def _reading(runs: Sequence[Run], spec: str | None) -> Spec:
    """Returns the spec for reading the files: the part of the first run's spec that prediction needs."""
    reading = reading_spec(runs[0], spec).inputs_only()
    unlike = [run for run in runs if spec is None and run.spec.inputs_only().digest() != reading.digest()]
    if unlike:
        raise InputError(
            f"{unlike[0].folder} and {runs[0].folder} read files differently (spec.yaml); "
            "say with --spec how to read these"
        )
    return reading


def _variations(spec: Spec, systematics: bool) -> tuple[str | None, ...]:
    if not systematics:
        return (None,)
    if not spec.systematics:
        raise InputError(
            f"--systematics: the spec {spec.name} has none; "
            "its key `systematics` lists what stands for %SYS% in branch names"
        )
    return spec.systematics


def _targets(paths: Sequence[Path], out: Path, form: ScoreFormat) -> dict[Path, Path]:
    """Returns the file of scores of each input; raises InputError if two inputs share one."""
    taken: dict[Path, Path] = {}
    for path in paths:
        target = out / f"{Path(path.name).stem}.scores.{form}"
        if target in taken:
            raise InputError(
                f"{taken[target]} and {path} would both be scored into {target}; "
                "predict them into different folders (--out)"
            )
        taken[target] = path
    return {path: target for target, path in taken.items()}


def _share(targets: dict[Path, Path], part: str | None) -> dict[Path, Path]:
    """Returns the files of one job."""
    if part is None:
        return targets
    first, sign, n = part.partition("/")
    if not (sign and first.isdigit() and n.isdigit() and 1 <= int(first) <= int(n)):
        raise InputError(f"--part {part}: K/N was expected, the K-th of N jobs, as in --part 1/4")
    return dict(list(targets.items())[int(first) - 1 :: int(n)])


def _is_done(target: Path, note: Mapping[str, Any], form: ScoreFormat) -> bool:
    """Whether the file of scores is complete; raises InputError if it was made from something else."""
    if not target.exists():
        return False
    before = note_of(target, form)
    changed = [key for key in note if before.get(key) != note[key]]
    if changed:
        raise InputError(
            f"{target} was written with another {changed[0]}: {before.get(changed[0])} there, {note[changed[0]]} here; "
            "name another --out, or replace it with --overwrite"
        )
    log.info("%s is there already", target)
    return True
