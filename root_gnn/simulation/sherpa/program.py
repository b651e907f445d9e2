"""The Sherpa program: locating it and running it on a card."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from root_gnn.errors import InputError

PROGRAM, PACKAGE = "Sherpa", "sherpa-mc"
_DATA = "SHERPA-MC"
_CARD, _LOG = "Sherpa.yaml", "sherpa.log"
_COLOUR_OF_TEXT = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_TOTAL = re.compile(r"^\S+ : (\S+) pb \+- \( (\S+) pb = ", re.MULTILINE)
_LAST_LINES = 12


@dataclass(frozen=True)
class RunCardSection:
    """A cross section and its error in pb."""

    value: float
    error: float


def find_program() -> Path | None:
    """The Sherpa of the Python package, next to this Python or on the path, in this order; None where there is none."""
    candidates = [Path(sys.executable).parent / PROGRAM]
    with suppress(metadata.PackageNotFoundError):
        candidates.insert(0, Path(str(metadata.distribution(PACKAGE).locate_file(f"bin/{PROGRAM}"))))
    if on_path := shutil.which(PROGRAM):
        candidates.append(Path(on_path))
    return next((path.resolve() for path in candidates if path.is_file() and os.access(path, os.X_OK)), None)


def run_sherpa(program: Path, card: str, folder: Path) -> list[RunCardSection]:
    """Runs Sherpa in `folder` on the text of a card, and returns the cross section of each of its reactions.

    Raises InputError with the end of Sherpa's output where it fails.
    """
    (folder / _CARD).write_text(card, encoding="utf-8")
    with (folder / _LOG).open("wb") as log:
        ended = subprocess.run(
            [program, "-f", _CARD],
            cwd=folder,
            env=sherpa_environment(program),
            stdout=log,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            check=False,
        )
    output = _COLOUR_OF_TEXT.sub("", (folder / _LOG).read_text(encoding="utf-8", errors="replace"))
    if ended.returncode != 0:
        last = "\n".join(output.strip().splitlines()[-_LAST_LINES:])
        raise InputError(
            f"{program}: expected Sherpa to make events of its card, but it ended with code {ended.returncode}; "
            f"remove it (or its folder from PATH) to use the shipped events, or mend it. Its last lines:\n{last}"
        )
    return cross_sections(output)


def sherpa_environment(program: Path) -> Mapping[str, str]:
    """The environment variables, with those by which a relocated Sherpa finds its files."""
    root = program.parent.parent
    data = root / "share" / _DATA
    library = next((root / name / _DATA for name in ("lib64", "lib") if (root / name / _DATA).is_dir()), None)
    if not data.is_dir() or library is None:
        return os.environ
    libraries = os.pathsep.join(filter(None, (str(library), os.environ.get("LD_LIBRARY_PATH"))))
    return {
        **os.environ,
        "SHERPA_SHARE_PATH": str(data),
        "SHERPA_LIBRARY_PATH": str(library),
        "LD_LIBRARY_PATH": libraries,
        "LHAPDF_DATA_PATH": str(data),
    }


def cross_sections(output: str) -> list[RunCardSection]:
    """The cross sections that Sherpa's integrations print, in order."""
    return [RunCardSection(float(value), float(error)) for value, error in _TOTAL.findall(output)]
