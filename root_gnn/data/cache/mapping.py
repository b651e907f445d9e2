"""Maps `.npy` files into memory without keeping them open: a process may open only about a thousand files."""

from __future__ import annotations

import ctypes
import mmap
import os
import weakref
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

FAILED = ctypes.c_void_p(-1).value


def mapped(path: Path) -> NDArray[Any]:
    """Returns the array in a file of `numpy.save`'s format 1.0, read-only; its pages are read when they are needed.

    The file is closed again, and it is unmapped with the last view of the array. Raises OSError if mapping fails.
    """
    with path.open("rb") as file:
        np.lib.format.read_magic(file)
        shape, _, dtype = np.lib.format.read_array_header_1_0(file)
        start, size = file.tell(), os.fstat(file.fileno()).st_size
        if size < start + int(np.prod(shape)) * dtype.itemsize:
            raise OSError(f"{path} is shorter than its header says")
        address = _system().mmap(None, size, mmap.PROT_READ, mmap.MAP_SHARED, file.fileno(), 0)
    if address == FAILED:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code), str(path))
    memory: Any = (ctypes.c_char * size).from_address(address)
    weakref.finalize(memory, _system().munmap, address, size).atexit = False
    array: NDArray[Any] = np.frombuffer(memory, dtype=dtype, count=int(np.prod(shape)), offset=start).reshape(shape)
    array.flags.writeable = False
    return array


@cache
def _system() -> ctypes.CDLL:
    library = ctypes.CDLL(None, use_errno=True)
    library.mmap.restype = ctypes.c_void_p
    library.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_int64]
    library.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
    return library
