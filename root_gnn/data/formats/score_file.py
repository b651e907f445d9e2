"""Files of scores that `root-gnn predict` wrote: they often lie beside its inputs and are no inputs themselves."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from root_gnn.console import log

NOTE = "root_gnn"
"""Key of the note on what a file of scores was made from, in ROOT and in parquet."""
ENDINGS = (".scores.root", ".scores.parquet")


def is_score_file(path: Path) -> bool:
    """Whether a file has the name and the note of a file of scores; a damaged one has no note."""
    if not path.name.endswith(ENDINGS):
        return False
    try:
        if path.name.endswith(".root"):
            import uproot

            with uproot.open(path) as file:
                return NOTE in file
        import pyarrow.parquet as pq

        return NOTE.encode() in (pq.read_schema(path).metadata or {})
    except Exception:  # uproot raises many kinds for damaged files, whose reader names the fault
        return False


def without_scores(paths: Iterable[Path]) -> list[Path]:
    """The paths that are no files of scores; those that are get named in the log."""
    paths = list(paths)
    scores = [path for path in paths if is_score_file(path)]
    if scores:
        log.info("files of scores, which are no inputs, left out: %s", ", ".join(path.name for path in scores))
    return [path for path in paths if path not in scores]
