"""What a pipeline that was stopped tells its user to type."""

from __future__ import annotations

from pathlib import Path

import pytest

from root_gnn.runs.folder import resume_command


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("train a.yaml --overwrite", "root-gnn train a.yaml --resume"),
        ("finetune --task WHvsZH --resume", "root-gnn finetune --task WHvsZH --resume"),
        ("study jets_ssl --jobs 2", "root-gnn study jets_ssl --jobs 2"),
    ],
)
def test_what_to_type_to_go_on(typed: str, told: str) -> None:
    assert resume_command(["/usr/bin/root-gnn", *typed.split()], Path("runs/a")) == told
    assert "runs/a" in resume_command(["my_script.py", *typed.split()], Path("runs/a"))
