"""The versions a run was made with."""

from __future__ import annotations

import platform
import shutil
import subprocess
from importlib import metadata

import torch

from root_gnn._version import __version__


def versions() -> dict[str, str | None]:
    """Versions, the commit of the current checkout, and the device, as `versions.json` keeps them."""
    git = shutil.which("git")
    commit = subprocess.run([git, "rev-parse", "HEAD"], capture_output=True, text=True, check=False) if git else None
    device = torch.cuda.get_device_name(0) if torch.cuda.is_available() else platform.processor() or platform.machine()
    return {
        "root_gnn": __version__,
        "torch": torch.__version__,
        "lightning": metadata.version("lightning"),
        "python": platform.python_version(),
        "git_commit": commit.stdout.strip() if commit is not None and commit.returncode == 0 else None,
        "device": device,
    }
