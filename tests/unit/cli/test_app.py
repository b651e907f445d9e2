"""The program: exit codes, one paragraph for an error, and a help text for every command."""

from __future__ import annotations

import inspect
from collections.abc import Callable

import pytest
import typer

from root_gnn._version import __version__
from root_gnn.cli import app

Leave = Callable[..., int]
COMMANDS = typer.main.get_command(app.app).commands  # type: ignore[attr-defined]


def test_the_version_is_that_of_the_package(leave: Leave, capsys: pytest.CaptureFixture[str]) -> None:
    assert leave("--version") == 0
    assert capsys.readouterr().out.strip() == __version__


def test_wrong_input_is_one_paragraph_and_code_2(leave: Leave, capsys: pytest.CaptureFixture[str]) -> None:
    assert leave("train", "no_such_recipe") == 2
    error = capsys.readouterr().err
    assert "no_such_recipe" in error and "Traceback" not in error and error.count("\n") == 1


def test_anything_else_is_code_1_with_the_way_to_see_more(
    leave: Leave, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError("a fault of ours")

    monkeypatch.setattr("root_gnn.runs.train.train", fail)
    assert leave("train", "pretrain_multiclass") == 1
    assert "ZeroDivisionError: a fault of ours (--debug shows where)" in capsys.readouterr().err
    assert leave("train", "pretrain_multiclass", "--debug") == 1
    assert "Traceback" in capsys.readouterr().err


def test_several_values_follow_one_option() -> None:
    repeat = app._repeat
    assert repeat(("--files",), ["a", "--files", "b", "c", "--x", "d"]) == [
        *("a", "--files", "b", "--files", "c", "--x", "d")
    ]
    assert repeat(("--files",), ["--files"]) == ["--files"]


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_and_option_has_a_help_text(name: str) -> None:
    command = COMMANDS[name]
    assert command.help and inspect.cleandoc(command.help)[0].isupper()
    assert [parameter.name for parameter in command.params if not getattr(parameter, "help", "")] == []
