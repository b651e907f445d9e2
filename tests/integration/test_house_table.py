"""The table of the structure, for a small checkout of which every figure is known."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

TOOL = Path(__file__).parents[2] / "tools" / "house_table"

LAW = """
LAYERS = ({"errors"}, {"data", "models"}, {"cli"})
SHARED_NAMES = {"Config": "the settings of a plug-in"}
"""
FIRST = '''"""One."""


class Config:
    """Settings."""

    def move(self, a, b, c, d, e):
        """Five parameters besides self.

        Args:
            a: the first.
        """

    def turn(self, a, b, c, d):
        return a  # four are few


def read(a, b, c, *, d=1, **others):
    """Five, without the section."""
    return a  # fmt: skip


def _hidden(a, b, c, d, e):
    return "# fmt: off"
'''
SECOND = '''"""Two."""


class Config:
    """Settings."""


class Reader:
    """Reads."""


def read():
    """Reads."""
'''


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout with two modules in `data`, one of which has a test file."""
    if not TOOL.is_file():
        pytest.skip("the tests run outside the checkout")
    root = tmp_path / "checkout"
    texts = {
        "root_gnn/__init__.py": "",
        "root_gnn/data/__init__.py": "",
        "root_gnn/data/first.py": FIRST,
        "root_gnn/data/inner/second.py": SECOND,
        "tests/test_architecture.py": LAW,
        "tests/unit/data/test_first.py": f"text = '{'x' * 120}'\n",
        "scripts/long": f"#!/usr/bin/env python3\n# {'x' * 118}\n# {'x' * 119}\n",
    }
    for name, text in texts.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    return root


def table(*arguments: str) -> dict[str, list[str]]:
    """The cells of each row by its name."""
    done = subprocess.run([sys.executable, str(TOOL), *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    rows = [line.strip("|").split("|") for line in done.stdout.splitlines() if line.startswith("|")]
    return {row[0].strip(): [cell.strip() for cell in row[1:]] for row in rows}


def test_every_figure_of_a_small_checkout(checkout: Path) -> None:
    found = {name: cells[0] for name, cells in table(str(checkout)).items()}
    assert found["entries directly in `root_gnn/data`"] == "2"
    assert found["levels of the layer law"] == "3"
    assert found["class names of more than one module"] == "1, of them 0 not listed"
    assert found["function names of more than one module"] == "1, of them 1 not listed"
    assert found["class or function names of more than one module"] == "2, of them 1 not listed"
    assert found["Python lines over 120 columns"] == "2"
    assert found["public functions with 5 or more parameters that have `Args:`"] == "50 % (1 of 2)"
    assert found["all functions with 5 or more parameters that have `Args:`"] == "33 % (1 of 3)"
    assert found["comment lines per line of code"] == "0.091 (1 of 11)"
    assert found["modules without a test file of their own"] == "1 of 2"
    assert found["`fmt:` pragmas"] == "1"
    assert found["public classes, functions and methods without a docstring"] == "1 of 7, of them 1 methods"


def test_two_checkouts_stand_in_two_columns(checkout: Path, tmp_path: Path) -> None:
    after = Path(shutil.copytree(checkout, tmp_path / "after"))
    (after / "root_gnn" / "data" / "third.py").write_text("", encoding="utf-8")
    found = table(str(checkout), str(after))
    assert found[""] == ["before", "after"]
    assert found["entries directly in `root_gnn/data`"] == ["2", "3"]
    assert found["modules without a test file of their own"] == ["1 of 2", "2 of 3"]


def test_a_folder_that_is_no_checkout_is_named(tmp_path: Path) -> None:
    if not TOOL.is_file():
        pytest.skip("the tests run outside the checkout")
    done = subprocess.run([sys.executable, str(TOOL), str(tmp_path)], capture_output=True, text=True, check=False)
    assert done.returncode != 0 and f"{tmp_path} is no checkout of root_gnn" in done.stderr
