"""The blocks of README.md run in order as one script, at a size for tests, beginning in a folder without runs."""

from __future__ import annotations

import re
import shlex
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

README = Path(__file__).parents[2] / "README.md"
BLOCK = re.compile(r"^```(bash|python)\n(.*?)^```$", flags=re.DOTALL | re.MULTILINE)
SMALLER = {"--train-events 1000": "--train-events 40", "train_events=1000": "train_events=40"}
SMALL = ("--set=train.max_epochs=1", "--set=train.batch_size=32")

pytestmark = pytest.mark.skipif(not README.is_file(), reason="the README is not installed beside the tests")


def test_it_is_short_and_shows_a_picture_first() -> None:
    lines = README.read_text(encoding="utf-8").splitlines()
    assert len(lines) <= 120
    assert any(line.startswith("![") for line in lines[:15])


def test_every_link_leads_to_a_file() -> None:
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", README.read_text(encoding="utf-8"))
    assert len(links) > 20
    assert not [link for link in links if not (README.parent / link).exists()]


def test_its_blocks_run_in_order_as_one_script(
    data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, leave: Callable[..., int]
) -> None:
    pytest.importorskip("dgl")
    shutil.copytree(data_dir, tmp_path / "data", ignore=shutil.ignore_patterns(".*"))
    for name, like in {"ggF": "WH", "VBF": "ZH", "singletop_t": "FCNC"}.items():
        shutil.copy(data_dir / f"{like}.root", tmp_path / "data" / f"{name}.root")
    shutil.copytree(README.parent / "configs", tmp_path / "configs")
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {"__name__": "__main__"}
    ran = []
    for language, text in BLOCK.findall(README.read_text(encoding="utf-8")):
        for large, small in SMALLER.items():
            text = text.replace(large, small)
        if language == "python":
            exec(compile(text, "README.md", "exec", dont_inherit=True), names)
            ran.append("python")
            continue
        for line in text.replace("\\\n", " ").splitlines():
            words = shlex.split(line)
            if words[0] != "root-gnn" or words[1] == "simulate":
                continue  # the two scripts have tests of their own, and the events are those of the tests
            size = SMALL if words[1] in ("train", "finetune") else ()
            line_for_tests = [word.replace("_n1000_", "_n40_") for word in words[1:]]
            assert leave(*line_for_tests, *size) == 0, line
            ran.append(words[1])
    assert ran == ["train", "finetune", "finetune", "cka", "python"]
    assert 0 <= names["run"].metrics["splits"]["test"]["auc"] <= 1
