"""The compiled operator is loaded where it was built; if it is missing, broken or switched off, the reason is given."""

from __future__ import annotations

import ctypes
import ctypes.util
import logging
from pathlib import Path

import pytest

from root_gnn.kernels import library as module
from root_gnn.kernels.library import SWITCH, Layer, Library, OperatorCall, library, operator, why_not


def test_a_missing_library_is_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(SWITCH, raising=False)
    monkeypatch.setattr(module, "FILE", tmp_path / "none.so")
    assert library() is None
    assert "not built" in why_not()


def test_a_broken_library_is_told_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.delenv(SWITCH, raising=False)
    monkeypatch.setattr(logging.getLogger("root_gnn"), "propagate", True)
    (tmp_path / "broken.so").write_text("no library", encoding="utf-8")
    monkeypatch.setattr(module, "FILE", tmp_path / "broken.so")
    assert library() is None and library() is None
    assert "does not load" in why_not()
    told = {id(record): record.levelname for record in caplog.records}  # a record may be seen by two loggers
    assert list(told.values()) == ["WARNING"]


def test_a_library_of_something_else_is_refused() -> None:
    other = ctypes.util.find_library("m") or pytest.skip("no libm by that name")
    with pytest.raises(OSError, match="root_gnn_"):
        Library(Path(other))


@pytest.mark.compiled
def test_it_can_be_switched_off(monkeypatch: pytest.MonkeyPatch) -> None:
    assert library() is not None and why_not() == ""
    assert operator().removeprefix("compiled operator: ") in ("avx512", "avx2", "baseline")
    monkeypatch.setenv(SWITCH, "0")
    assert library() is None and SWITCH in why_not()
    assert operator() == f"compiled operator: switched off by {SWITCH}=0; plain PyTorch runs instead"


@pytest.mark.compiled
def test_a_library_of_another_version_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    class Longer(OperatorCall):
        _fields_ = [("more", ctypes.c_int64)]

    monkeypatch.setattr(module, "OperatorCall", Longer)
    with pytest.raises(OSError, match="another version"):
        Library(module.FILE)


@pytest.mark.compiled
@pytest.mark.parametrize(
    ("dim", "possible"),
    [
        (4, {"baseline"}),
        (8, {"baseline", "avx2"}),
        (64, {"baseline", "avx2", "avx512"}),
        (6, {""}),
        (0, {""}),
    ],
)
def test_vectors_fill_the_rows(dim: int, possible: set[str]) -> None:
    found = library()
    assert found is not None
    assert found.form(dim) in possible


@pytest.mark.compiled
def test_a_form_that_is_not_there_is_an_error() -> None:
    found = library()
    assert found is not None
    with pytest.raises(ValueError, match="no form"):
        found.run(OperatorCall(dim=6, layers=(Layer * 1)()))
