"""The quickstart: the commands its page shows are those it runs, and small sizes go through all of its steps."""

from __future__ import annotations

import importlib.util
import os
import re
import shlex
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from root_gnn.cli import app as cli

SCRIPT = Path(__file__).parents[2] / "scripts" / "quickstart.py"
pytestmark = pytest.mark.skipif(not SCRIPT.is_file(), reason="the tests run outside the checkout, without scripts/")


def loaded() -> Any:
    spec = importlib.util.spec_from_file_location("quickstart", SCRIPT)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["quickstart"] = module
    spec.loader.exec_module(module)
    return module


def heard(monkeypatch: pytest.MonkeyPatch, name: str, call: Any) -> dict[str, Any]:
    """What `root_gnn.runs.train.<name>` is given by `call`, as the recipe, mode and sizes that follow from it."""
    given: dict[str, Any] = {}

    def listen(what: Any, **named: Any) -> Any:
        given.update(what=what, **named)
        raise KeyboardInterrupt

    monkeypatch.setattr(f"root_gnn.runs.train.{name}", listen)
    before = signal.getsignal(signal.SIGTERM)
    try:
        with pytest.raises((KeyboardInterrupt, SystemExit)):
            call()
    finally:
        signal.signal(signal.SIGTERM, before)
    kept = ("what", "mode", "train_events", "overrides", "run")
    values = {key: given.get(key) for key in kept}
    return values | {"overrides": tuple(values["overrides"]), "run": values["run"] and Path(values["run"]).name}


def test_commands_on_the_page_do_what_the_script_does(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    quickstart = loaded()
    monkeypatch.setenv("TTY_COMPATIBLE", "0")
    for training, command in zip(
        (quickstart.PRETRAINING_RUN, *quickstart.DOWNSTREAM), quickstart.commands(), strict=True
    ):
        name = "finetune" if training.mode else "train"
        by_script = heard(monkeypatch, name, lambda one=training: one.run(tmp_path, tmp_path))
        words = shlex.split(command)
        by_hand = heard(monkeypatch, name, lambda line=words: cli.main(line[1:]))
        by_hand["mode"] = by_hand["mode"] if training.mode else None
        assert words[0] == "root-gnn" and by_script == by_hand


def test_every_group_has_three_seeds_or_more_and_runs_of_their_own() -> None:
    quickstart = loaded()
    names = [training.name for training in quickstart.DOWNSTREAM]
    assert len(set(names)) == len(names)
    assert all(len(members) >= 3 for groups in quickstart.GROUPS.values() for members in groups.values())


@pytest.mark.slow
@pytest.mark.pythia
def test_small_sizes_go_through_all_steps_and_a_second_time_is_quick(tmp_path: Path) -> None:
    text = SCRIPT.read_text(encoding="utf-8")
    small = (
        re.sub(r'": (4|12)000', '": 150', text)
        .replace("SMALL = 1000", "SMALL = 60")
        .replace("CKA_EVENTS = 2000", "CKA_EVENTS = 40")
    )
    small = re.sub(r"max_epochs=\d+", "max_epochs=1", small)
    script = tmp_path / "quickstart.py"
    script.write_text(small, encoding="utf-8")
    command = [sys.executable, str(script), str(tmp_path / "out")]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    first = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert first.returncode == 0, first.stderr
    assert "finetuned, 60 events" in first.stdout and "has seen the labels of WH and ZH" in first.stdout
    page = tmp_path / "out" / "report.html"
    assert str(page) in first.stdout and "FCNCvsttbar" in page.read_text(encoding="utf-8")
    second = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert second.returncode == 0, second.stderr
    assert (
        second.stdout.split("\n\n")[:4] == first.stdout.split("\n\n")[:4]
        and second.stderr.count("is finished already") == 16
    )
    script.write_text(small.replace("SMALL = 60", "SMALL = 80"), encoding="utf-8")
    other = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert other.returncode == 2 and "results of other settings" in other.stderr
