"""The machine a figure is measured on: what it is, how threads are pinned, and which memory allocator is used."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any, Literal

import torch

Allocator = Literal["tuned", "default"]
ALLOCATORS: tuple[Allocator, ...] = ("tuned", "default")
# Freed memory stays with the process, so that no step pays for fetching pages again. In whole bytes: the C library
# reads a
# number in scientific notation as its first digit.
TUNED = {"MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": "20000000000"}


def bench_environment(allocator: Allocator) -> dict[str, str]:
    """Returns the environment of a process that is measured: one thread for every library, and the given allocator."""
    rest = {name: value for name, value in os.environ.items() if name not in TUNED}
    own = {"OMP_NUM_THREADS": "1", "DGLBACKEND": "pytorch"}  # the latter keeps DGL from writing into the home folder
    return {**rest, **own, **(TUNED if allocator == "tuned" else {})}


def pin(n_core: int, *, hold: bool = True) -> None:
    """Sets as many threads for this process as cores.

    With `hold`, it and its children stay on the last `n_core` of the cores that it may use.
    """
    if hold and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, cores()[-n_core:])
    torch.set_num_threads(min(n_core, len(cores())))


def cores() -> list[int]:
    """The cores this process may use."""
    return sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else list(range(os.cpu_count() or 1))


def machine_load() -> float | None:
    """Returns the processes that wanted a core, averaged over the last minute; None where the system does not tell."""
    return round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None


def describe_machine() -> dict[str, Any]:
    """Returns what a reader has to know about this machine and this process."""
    gpu = torch.cuda.get_device_name(0) if torch.cuda.is_available() else None
    return {
        "cpu": processor(Path("/proc/cpuinfo")),
        "cores": os.cpu_count(),
        "instruction_set": torch.backends.cpu.get_cpu_capability(),
        "memory_gib": _memory(),
        "gpu": gpu,
        "system": platform.platform(),
        "libc": " ".join(platform.libc_ver()).strip(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "packages": _packages(),
        "allocators": {"tuned": TUNED, "default": {}},
        "load": machine_load(),
    }


def processor(info: Path) -> str:
    """Returns the model of the first processor from the system's list, where there is one."""
    found = (
        re.search(r"^model name\s*:\s*(.+)$", info.read_text(encoding="utf-8"), re.MULTILINE)
        if info.is_file()
        else None
    )
    return found[1] if found else platform.processor() or platform.machine()


def _memory() -> float | None:
    if not hasattr(os, "sysconf"):
        return None
    return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1)


def _packages() -> Mapping[str, str]:
    """Returns the versions of the installed packages that ours is compared with."""
    found = {}
    for name in ("numpy", "dgl", "torch-geometric", "weaver-core", "fastjet"):
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found
