"""Errors for users: suggestions, extras, and what is left of them behind another process."""

from __future__ import annotations

import pickle

import pytest

from root_gnn.errors import InputError, MissingExtraError, NullValueError, suggest


def test_near_words_are_suggested_and_all_are_listed_where_none_is_near() -> None:
    assert suggest("WHvZH", ["WHvsZH", "ttHvsttbar"]) == "; did you mean WHvsZH?"
    assert suggest("xyz", ["WHvsZH", "ttHvsttbar"]) == "; known are: WHvsZH, ttHvsttbar"
    assert suggest("xyz", []) == ""


def test_a_missing_package_says_how_to_install_it() -> None:
    error = MissingExtraError("fastjet", "sim", "Clustering jets")
    assert str(error).endswith("Install it with: pip install 'root_gnn[sim]'")


@pytest.mark.parametrize(
    "error",
    [MissingExtraError("fastjet", "sim", "Clustering"), NullValueError("nothing", branch="pt"), InputError("a")],
)
def test_errors_keep_their_text_over_processes(error: InputError) -> None:
    again = pickle.loads(pickle.dumps(error))
    assert isinstance(again, InputError) and str(again) == str(error)
