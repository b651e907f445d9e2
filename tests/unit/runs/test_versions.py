"""The versions that a run keeps are those of this process, in plain texts."""

from __future__ import annotations

import json
import platform

import torch

from root_gnn._version import __version__
from root_gnn.runs.versions import versions


def test_they_are_those_of_this_process() -> None:
    found = versions()
    assert found["root_gnn"] == __version__ and found["torch"] == torch.__version__
    assert found["python"] == platform.python_version()
    assert json.loads(json.dumps(found)) == found
    commit = found["git_commit"]
    assert commit is None or len(commit) == 40
