"""A run in one file: its best weights as safetensors, its texts in the header; opening one executes nothing.

The tensors are those of the objective. The header holds `format`, `name` and the texts of `TEXTS` by file name.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from root_gnn.atomic import atomic_file, atomic_folder, write_text
from root_gnn.errors import InputError
from root_gnn.graph.scaling import Scaling
from root_gnn.training.fit import part, weights

SUFFIX = ".safetensors"
FORMAT = "root_gnn packed run 1"
NEEDED = ("config.yaml", "spec.yaml", "scaling.json", "plan.json", "versions.json")
TEXTS = (*NEEDED, "metrics.json", "history.csv")
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]{0,199}")
LONGEST_TEXT = 16 * 2**20  # characters; the longest that a run has is its history, some hundred bytes an epoch


def pack_folder(folder: Path, checkpoint: Path, out: Path) -> Path:
    """Writes the run in `folder`, with the weights of `checkpoint`, to `out`; raises InputError for missing parts."""
    lacking = [name for name in NEEDED if not (folder / name).is_file()]
    if lacking:
        raise InputError(
            f"{folder} cannot be packed: it has no {lacking[0]}, which a run folder that `root-gnn train` made has"
        )
    texts = {name: (folder / name).read_text(encoding="utf-8") for name in TEXTS if (folder / name).is_file()}
    tensors = {name: value.contiguous().clone() for name, value in part(weights(checkpoint), "objective").items()}
    with atomic_file(out) as temporary:
        save_file(tensors, temporary, metadata={"format": FORMAT, "name": folder.resolve().name, **texts})
    return out


def is_packed(path: Path) -> bool:
    """Whether a path is a packed run, by its ending."""
    return path.suffix == SUFFIX and path.is_file()


def unpack(path: Path, folder: Path) -> Path:
    """Writes a packed run as the run folder `folder`.

    Only the texts of `TEXTS` and tensors are taken, whatever else the file holds. Raises InputError where it is no
    packed run, is damaged, or holds something that no run has.
    """
    texts, tensors = _texts(path), _tensors(path)
    with atomic_folder(folder) as temporary:
        for name in TEXTS:
            if name in texts:
                write_text(temporary / name, texts[name])
        _check_texts(path, temporary)
        (temporary / "checkpoints").mkdir()
        torch.save(
            {"state_dict": {f"objective.{name}": value for name, value in tensors.items()}},
            temporary / "checkpoints" / "best.ckpt",
        )
    return folder


def unpacked(path: Path) -> Path:
    """Unpacks a run into a temporary run folder of its name, which lives as long as this process."""
    status = path.stat()
    return _unpacked(path.resolve(), status.st_size, status.st_mtime_ns)


def packed_name(path: Path) -> str:
    """Returns the name of the run that a packed file holds."""
    return _texts(path)["name"]


@cache
def _unpacked(path: Path, size: int, mtime_ns: int) -> Path:
    del size, mtime_ns  # part of the key of the cache: a file that changed is unpacked again
    folder = tempfile.TemporaryDirectory(prefix="root_gnn_packed_")
    _KEPT.append(folder)
    return unpack(path, Path(folder.name) / packed_name(path))


_KEPT: list[tempfile.TemporaryDirectory[str]] = []


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """A safetensors file; raises InputError where it can't be read as one."""
    try:
        with safe_open(path, framework="pt") as file:
            yield file
    except (SafetensorError, OSError, ValueError) as error:
        words = " ".join(str(error).split())
        raise InputError(
            f"{path} is no packed run, or is damaged: it can't be read as safetensors ({words}). "
            "Nothing of it was run; get "
            "the file again, or a run folder instead."
        ) from error


def _tensors(path: Path) -> dict[str, torch.Tensor]:
    with _opened(path) as file:
        return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 the file is no dict


def _texts(path: Path) -> dict[str, str]:
    """The header, checked for everything that can be told before the texts are read."""
    with _opened(path) as file:
        texts: dict[str, str] = dict(file.metadata() or {})
    if texts.get("format") != FORMAT:
        raise InputError(
            f"{path} is a safetensors file but no packed run: its header says "
            f"{texts.get('format')!r} where {FORMAT!r} was "
            "expected. Pack a run with `root-gnn pack RUN`."
        )
    lacking = [name for name in ("name", *NEEDED) if name not in texts]
    strange = [name for name in texts if name not in ("format", "name", *TEXTS)]
    if lacking or strange:
        what = f"lacks {lacking[0]}" if lacking else f"holds {strange[0]!r}, which no packed run does"
        raise InputError(f"{path} is refused: its header {what}. Get it from its author again.")
    if not NAME.fullmatch(texts["name"]):
        raise InputError(
            f"{path} is refused: it calls its run {texts['name'][:300]!r}; at most 200 "
            "letters, digits and _ . + - were "
            "expected."
        )
    long = [name for name in TEXTS if len(texts.get(name, "")) > LONGEST_TEXT]
    if long:
        raise InputError(
            f"{path} is refused: its {long[0]} has {len(texts[long[0]]):,} characters, more than "
            "any run needs. Get it from "
            "its author again."
        )
    return texts


def _check_texts(path: Path, folder: Path) -> None:
    """Raises InputError where a JSON text is not what a run has there."""
    name = "scaling.json"
    try:
        Scaling.load(folder / name)
        for name in ("plan.json", "versions.json", "metrics.json"):
            content: Any = json.loads((folder / name).read_text(encoding="utf-8")) if (folder / name).exists() else {}
            if not isinstance(content, dict):
                raise TypeError(f"{type(content).__name__} instead of a mapping")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise InputError(
            f"{path} is refused: its {name} is not what a run has there ({type(error).__name__}: "
            f"{str(error)[:200]}). Get it "
            "from its author again."
        ) from error
