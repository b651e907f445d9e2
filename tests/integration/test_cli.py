"""The command line as a user meets it: names, flags, exit codes, and what each command hands to the library."""

from __future__ import annotations

import importlib
import inspect
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer.main

import root_gnn
from root_gnn.cli import app as cli
from root_gnn.errors import InputError

Leave = Callable[..., int]
EVERYWHERE = {"--quiet", "-q", "--verbose", "-v", "--debug"}
RUNNING = {"--set", "--data-dir", "--run-dir", "--resume", "--overwrite", "--allow-plugin"}
COMMANDS = {
    "simulate": {
        "--process",
        "--events",
        "--out",
        "--level",
        "--seed",
        "--jobs",
        "--lhe",
        "--resimulate",
        "--param",
        "--list",
        "--overwrite",
        "--top-tagging",
        "--pileup",
        "--variations",
        "--control",
    },
    "inspect": {"file", "--tree", "--draft-spec"},
    "prepare": {"recipe_or_spec", "--jobs", "--scheduler", "--slurm", "--systematics", "--data-dir"},
    "check": {"recipe", "--set", "--data-dir"},
    "train": {"recipe", *RUNNING},
    "finetune": {"--task", "--from", "--mode", "--train-events", *RUNNING},
    "evaluate": {"run", "--split", "--spec", "--files", "--variation", "--data-dir", "--allow-plugin"},
    "embed": {"run", "--method", "--data-dir", "--allow-plugin"},
    "cka": {"runs", "--events", "--out", "--data-dir", "--allow-plugin"},
    "probe": {
        "runs",
        "--task",
        "--train-events",
        "--seeds",
        "--random",
        "--inputs",
        "--set",
        "--out",
        "--data-dir",
        "--allow-plugin",
    },
    "study": {"study", "--out", "--jobs", "--scheduler", "--slurm", "--tiny", "--fresh", "--data-dir"},
    "predict": {
        "run",
        "files",
        "--out",
        "--with",
        "--systematics",
        "--embeddings",
        "--format",
        "--blind",
        "--spec",
        "--part",
        "--device",
        "--overwrite",
        "--allow-plugin",
    },
    "runs": {"places", "--dir", "--where", "--sort", "--json"},
    "pack": {"run", "--out", "--unpack", "--overwrite", "--allow-plugin"},
    "export": {"run", "--out", "--opset", "--ir-version", "--tolerance", "--data-dir", "--overwrite", "--allow-plugin"},
    "convert": {"file", "--out", "--tree", "--overwrite"},
    "report": {"runs", "--out", "--allow-plugin"},
    "bench": {"cases", "--case", "--rounds", "--quick", "--out", "--allocator", "--data-dir"},
}


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "root_gnn", *arguments], capture_output=True, text=True, check=False)


def test_commands_and_flags_are_those_of_the_contract() -> None:
    group: Any = typer.main.get_command(cli.app)
    found = {
        name: {option for parameter in command.params for option in parameter.opts}
        for name, command in group.commands.items()
    }
    assert found == {name: flags | EVERYWHERE for name, flags in COMMANDS.items()}


def test_every_command_explains_itself() -> None:
    group: Any = typer.main.get_command(cli.app)
    for name, command in group.commands.items():
        assert command.help, name
        assert all(parameter.help for parameter in command.params), name


def test_help_is_instant() -> None:
    seconds = []
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = run("--help")
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds.append(
            after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        )  # a busy machine does not count
        assert done.returncode == 0
        assert all(name in done.stdout for name in COMMANDS)
    assert min(seconds) < 0.5


def test_version() -> None:
    done = run("--version")
    assert (done.returncode, done.stdout) == (0, f"{root_gnn.__version__}\n")


@pytest.mark.parametrize(
    "arguments",
    [
        ("trian",),
        ("train",),
        ("train", "x.yaml", "--rusume"),
        ("simulate", "--events", "many"),
        ("finetune", "--task", "x", "--mode", "y"),
    ],
)
def test_usage_errors_leave_with_2(arguments: tuple[str, ...]) -> None:
    done = run(*arguments)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_an_input_error_is_one_paragraph_and_a_traceback_only_on_request() -> None:
    done = run("simulate", "--process", "WHH")
    assert done.returncode == 2
    assert done.stderr.startswith("--process WHH: ")
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    debugged = run("simulate", "--process", "WHH", "--debug")
    assert debugged.returncode == 2
    assert "Traceback" in debugged.stderr
    assert "WH" in debugged.stderr.splitlines()[-1]


class Recorder:
    """Stands in for a library function, takes only what that takes, and remembers it."""

    def __init__(self, target: str, result: Any) -> None:
        module, name = target.rsplit(".", 1)
        self.signature = inspect.signature(getattr(importlib.import_module(module), name))
        self.result = result
        self.arguments: dict[str, Any] = {}

    def __call__(self, *positional: Any, **named: Any) -> Any:
        self.arguments = dict(self.signature.bind(*positional, **named).arguments)
        if isinstance(self.result, BaseException):
            raise self.result
        return self.result


def record(monkeypatch: pytest.MonkeyPatch, target: str, result: Any = None) -> Recorder:
    recorder = Recorder(target, result)
    monkeypatch.setattr(target, recorder)
    return recorder


@pytest.mark.parametrize(
    ("line", "target", "handed"),
    [
        (
            "simulate --process WH --process ZH --events 5 --out d --seed 3 --jobs 2 --param a=1 --overwrite",
            "root_gnn.simulation.simulate.simulate",
            {
                "processes": ["WH", "ZH"],
                "events": 5,
                "out": Path("d"),
                "seed": 3,
                "jobs": 2,
                "params": {"a": "1"},
                "overwrite": True,
            },
        ),
        (
            "train r.yaml --set a.b=1 --set c=2 --run-dir x --resume",
            "root_gnn.runs.train.train",
            {
                "recipe": "r.yaml",
                "overrides": ["a.b=1", "c=2"],
                "run_dir": Path("x"),
                "resume": True,
                "overwrite": False,
            },
        ),
        (
            "finetune --task WHvsZH --from runs/a --mode frozen --train-events 100 --overwrite",
            "root_gnn.runs.train.finetune",
            {"task": "WHvsZH", "run": Path("runs/a"), "mode": "frozen", "train_events": 100, "overwrite": True},
        ),
        (
            "evaluate runs/a --split validation --spec events --files a.root b.root --data-dir d",
            "root_gnn.runs.evaluate.evaluate",
            {
                "folder": Path("runs/a"),
                "split": "validation",
                "spec": "events",
                "data_dir": Path("d"),
                "files": ["a.root", "b.root"],
            },
        ),
        ("embed runs/a --method umap", "root_gnn.analysis.embed.embed", {"run": Path("runs/a"), "method": "umap"}),
        (
            "cka runs/a runs/b --events 50 --out o",
            "root_gnn.analysis.cka.compare_layers",
            {"runs": [Path("runs/a"), Path("runs/b")], "events": 50, "out": Path("o")},
        ),
        (
            "probe runs/a runs/b --task T --train-events 50 --seeds 3 4 --random --inputs --out o",
            "root_gnn.analysis.linear_probe.probe",
            {
                "runs": [Path("runs/a"), Path("runs/b")],
                "task": "T",
                "train_events": 50,
                "seeds": [3, 4],
                "random": True,
                "inputs": True,
                "out": Path("o"),
            },
        ),
        (
            "predict runs/a a.root b.root --out o --with runs/b --systematics --format parquet --blind ZH>0.8 --part "
            "1/4 --device cpu",
            "root_gnn.prediction.predict.predict",
            {
                "run": Path("runs/a"),
                "files": ["a.root", "b.root"],
                "out": Path("o"),
                "others": [Path("runs/b")],
                "systematics": True,
                "form": "parquet",
                "blind": "ZH>0.8",
                "part": "1/4",
                "device": "cpu",
            },
        ),
        (
            "pack runs/a --out a.safetensors",
            "root_gnn.runs.registry.pack",
            {"run": Path("runs/a"), "out": Path("a.safetensors")},
        ),
        (
            "pack a.safetensors --unpack",
            "root_gnn.runs.registry.unpack_run",
            {"file": Path("a.safetensors"), "out": None},
        ),
        (
            "convert a.yaml --out o --tree Events --overwrite",
            "root_gnn.convert.convert.convert",
            {"file": Path("a.yaml"), "out": Path("o"), "tree": "Events", "overwrite": True},
        ),
        (
            "report runs/a runs/b --out page.html",
            "root_gnn.pages.report.report",
            {"runs": [Path("runs/a"), Path("runs/b")], "out": Path("page.html")},
        ),
    ],
)
def test_each_command_hands_its_options_to_the_library(
    monkeypatch: pytest.MonkeyPatch,
    line: str,
    target: str,
    handed: dict[str, Any],
    leave: Leave,
) -> None:
    recorder = record(monkeypatch, target)
    assert leave(*line.split()) == 0
    assert {name: recorder.arguments[name] for name in handed} == handed


def test_prepare_hands_its_options_to_the_library(monkeypatch: pytest.MonkeyPatch, leave: Leave) -> None:
    recorder = record(monkeypatch, "root_gnn.runs.prepare.prepare", [])
    where = ("--scheduler", "tcp://a:1", "--slurm", "time=60", "--slurm", "partition=short")
    assert leave("prepare", "events", "--jobs", "3", "--data-dir", "d", *where, "--systematics") == 0
    assert recorder.arguments == {
        "recipe_or_spec": "events",
        "jobs": 3,
        "data_dir": Path("d"),
        "scheduler": "tcp://a:1",
        "slurm": {"time": "60", "partition": "short"},
        "systematics": True,
        "stop": False,
    }


def test_check_shows_the_plan(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], leave: Leave
) -> None:
    record(monkeypatch, "root_gnn.runs.train.check", "the plan")
    assert leave("check", "r.yaml") == 0
    assert capsys.readouterr().out == "the plan\n"


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (InputError("r.yaml:3: optim.lr: missing"), 2, "r.yaml:3: optim.lr: missing"),
        (
            RuntimeError("the disk\nfull"),
            1,
            "root-gnn stopped by an unexpected error: RuntimeError: the disk full (--debug shows where)",
        ),
        (SystemExit(143), 143, ""),
        (SystemExit(130), 130, ""),
        (KeyboardInterrupt(), 130, ""),
    ],
)
def test_every_end_has_its_exit_code(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    error: BaseException,
    code: int,
    words: str,
    leave: Leave,
) -> None:
    record(monkeypatch, "root_gnn.runs.train.train", error)
    assert leave("train", "r.yaml") == code
    assert capsys.readouterr().err.strip() == words


def test_being_told_to_end_cleans_up_and_leaves_with_143(monkeypatch: pytest.MonkeyPatch, leave: Leave) -> None:
    cleaned = []

    def wait(*positional: Any, **named: Any) -> None:
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(5)
        finally:
            cleaned.append(True)

    monkeypatch.setattr("root_gnn.runs.train.train", wait)
    assert leave("train", "r.yaml") == 143
    assert cleaned == [True]


def test_a_draft_replaces_no_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str], leave: Leave
) -> None:
    class Found:
        def __str__(self) -> str:
            return "one tree"

        def draft_spec(self) -> str:
            return "name: draft\n"

    record(monkeypatch, "root_gnn.data.inspection.inspect.inspect", Found())
    out = tmp_path / "spec.yaml"
    assert leave("inspect", "a.root", "--draft-spec", str(out)) == 0
    assert (out.read_text(), capsys.readouterr().out) == ("name: draft\n", "one tree\n")
    assert leave("inspect", "a.root", "--draft-spec", str(out)) == 2
    assert "exists already" in capsys.readouterr().err


def test_a_parameter_needs_a_value(capsys: pytest.CaptureFixture[str], leave: Leave) -> None:
    assert leave("simulate", "--process", "WH", "--param", "mass") == 2
    assert "expected KEY=VALUE" in capsys.readouterr().err
