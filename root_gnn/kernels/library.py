"""Finds and loads the compiled operator, where it was built and can run; `source/interface.h` documents it.

The library lies next to this file where there was a C++ compiler at installation; nothing is compiled later. Where it
is missing or does not load, plain PyTorch takes over. The environment variable `ROOT_GNN_COMPILED=0` switches it off,
and with it all other replacements of PyTorch's layers for speed on a CPU: `linear`, `dropout` and attention with a
bias.
"""

from __future__ import annotations

import ctypes
import functools
import os
from collections.abc import Iterator
from contextlib import contextmanager
from ctypes import POINTER, Structure, c_char_p, c_double, c_int, c_int64, c_uint64, c_void_p
from pathlib import Path

from root_gnn.console import log

FILE = Path(__file__).with_name("libroot_gnn.so")
SWITCH = "ROOT_GNN_COMPILED"


class Layer(Structure):
    """A linear layer and where its gradients go; mirrors `Layer` of interface.h."""

    _fields_ = [
        ("weight", c_void_p),
        ("n_in", c_int64),
        ("stride", c_int64),
        ("bias", c_void_p),
        ("weight_gradient", c_void_p),
        ("bias_gradient", c_void_p),
    ]


class OperatorCall(Structure):
    """One call of the operator; mirrors `Job` of interface.h."""

    _fields_ = [
        *(
            (name, c_int64)
            for name in ("n_row", "dim", "n_layer", "n_thread", "activation", "activate_last", "residual")
        ),
        ("dropout", c_double),
        ("epsilon", c_double),
        ("seed", c_uint64),
        ("x", c_void_p),
        ("layers", POINTER(Layer)),
        *((name, c_void_p) for name in ("scale", "shift", "first", "first_index", "second", "second_index")),
        ("n_first", c_int64),
        ("n_second", c_int64),
        *((name, c_void_p) for name in ("stored", "out", "total", "largest", "n_largest")),
        *((name, c_void_p) for name in ("out_gradient", "total_gradient", "largest_gradient")),
        *(
            (name, c_void_p)
            for name in ("x_gradient", "first_gradient", "second_gradient", "scale_gradient", "shift_gradient")
        ),
    ]


class Pairs(Structure):
    """One call of the contrastive loss; mirrors `Pairs` of interface.h."""

    _fields_ = [
        ("n", c_int64),
        ("dim", c_int64),
        ("temperature", c_double),
        ("shortest", c_double),
        *((name, c_void_p) for name in ("first", "second", "loss", "gradient")),
    ]


class Cross(Structure):
    """One product of features; mirrors `Cross` of interface.h."""

    _fields_ = [
        *((name, c_int64) for name in ("n_row", "p", "q", "n_thread")),
        *((name, c_void_p) for name in ("x", "y", "out")),
    ]


class Library:
    """The loaded operator; raises OSError where the file is no such library, or was built from another version."""

    def __init__(self, file: Path) -> None:
        functions = ctypes.CDLL(str(file))
        try:
            self._size, self._form = functions.root_gnn_interface_size, functions.root_gnn_form
            self._forward, self._backward = functions.root_gnn_forward, functions.root_gnn_backward
            self._nt_xent, self._cross = functions.root_gnn_nt_xent, functions.root_gnn_cross
        except AttributeError as error:
            raise OSError(str(error)) from error
        self._size.restype, self._size.argtypes = c_int64, []
        if self._size() != sum(ctypes.sizeof(structure) for structure in (OperatorCall, Layer, Pairs, Cross)):
            raise OSError(f"{file} was built from another version of root_gnn")
        self._form.restype, self._form.argtypes = c_char_p, [c_int64]
        for function, structure in (
            (self._forward, OperatorCall),
            (self._backward, OperatorCall),
            (self._nt_xent, Pairs),
            (self._cross, Cross),
        ):
            function.restype, function.argtypes = c_int, [POINTER(structure), c_char_p]

    @functools.cache  # noqa: B019 # there is one library in a process
    def form(self, dim: int) -> str:
        """The instruction set for rows of this width: `avx512`, `avx2`, `baseline`; empty where there is none."""
        name: bytes = self._form(dim)
        return name.decode()

    def run(self, job: OperatorCall, *, backward: bool = False, form: str = "") -> None:
        """Runs a perceptron, with the instruction set `form` or the best one."""
        _done((self._backward if backward else self._forward)(ctypes.byref(job), form.encode()), form, job.dim)

    def nt_xent(self, job: Pairs, *, form: str = "") -> None:
        """The contrastive loss of pairs of views."""
        _done(self._nt_xent(ctypes.byref(job), form.encode()), form, job.dim)

    def cross(self, job: Cross, *, form: str = "") -> None:
        """A product of features."""
        _done(self._cross(ctypes.byref(job), form.encode()), form, job.q)


def _done(code: int, form: str, dim: int) -> None:
    if code == 1:
        raise MemoryError("the compiled operator ran out of memory")
    if code == 2:
        raise ValueError(f"the compiled operator has no form {form!r} for rows of {dim} here")


@functools.cache
def _load(file: Path) -> tuple[Library | None, str]:
    """The library, or why there is none."""
    if not file.is_file():
        return None, "not built: no C++ compiler when root_gnn was installed"
    try:
        return Library(file), ""
    except OSError as error:
        log.warning("The compiled operator does not load; plain PyTorch takes over (%s).", error)
        return None, f"does not load: {error}"


def library() -> Library | None:
    """The operator, or None where plain PyTorch has to run instead."""
    return None if is_switched_off() else _load(FILE)[0]


def is_switched_off() -> bool:
    """Whether the environment asks for plain PyTorch."""
    return os.environ.get(SWITCH) == "0"


@contextmanager
def switched_off() -> Iterator[None]:
    """Plain PyTorch inside the block, so that its operations can be counted."""
    before = os.environ.get(SWITCH)
    os.environ[SWITCH] = "0"
    try:
        yield
    finally:
        if before is None:
            del os.environ[SWITCH]
        else:
            os.environ[SWITCH] = before


def why_not() -> str:
    """Why `library()` is None; empty where it is not."""
    return f"switched off by {SWITCH}=0" if is_switched_off() else _load(FILE)[1]


def operator() -> str:
    """A line for the plan: which instruction set the compiled operator uses, or why plain PyTorch runs instead."""
    found = library()
    return (
        f"compiled operator: {found.form(64)}"
        if found is not None
        else f"compiled operator: {why_not()}; plain PyTorch runs instead"
    )
