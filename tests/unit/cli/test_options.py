"""Options of several commands."""

from __future__ import annotations

import logging
from collections.abc import Callable

import pytest

from root_gnn.cli.options import pair
from root_gnn.console import log, set_verbosity
from root_gnn.errors import InputError


def test_a_pair_is_split_at_the_first_equals_sign() -> None:
    assert pair("--param", "mstop=600") == ("mstop", "600")
    assert pair("--slurm", "comment=a=b") == ("comment", "a=b")


@pytest.mark.parametrize("text", ["mstop", "=600", ""])
def test_a_text_without_key_or_value_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(InputError, match="expected KEY=VALUE, as in --param mstop=600"):
        pair("--param", text)


@pytest.mark.parametrize(("option", "level"), [("--quiet", logging.WARNING), ("--verbose", logging.DEBUG)])
def test_verbosity_is_set_wherever_the_option_stands(leave: Callable[..., int], option: str, level: int) -> None:
    try:
        for words in ((option, "simulate", "--list"), ("simulate", "--list", option)):
            set_verbosity(0)
            assert leave(*words) == 0
            assert log.level == level
    finally:
        set_verbosity(0)
