"""Tokens of expressions and messages that point at a position."""

from __future__ import annotations

import pytest

from root_gnn.errors import InputError
from root_gnn.expressions.tokens import LARGEST, MAX_CHARACTERS, Token, located_error, printable, tokens


def test_tokens_have_kind_value_and_position() -> None:
    found = tokens("pt > 2.5e1 && `a b` in ('x')", "select")
    assert [(token.kind, token.value) for token in found] == [
        ("name", "pt"),
        ("operator", ">"),
        ("constant", 25.0),
        ("operator", "and"),
        ("name", "a b"),
        ("operator", "in"),
        ("operator", "("),
        ("string", "x"),
        ("operator", ")"),
        ("end", ""),
    ]
    assert found[0] == Token("name", "pt", 0, 2) and found[-1].start == 28


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a = b", "to compare write =="),
        ("a // b", "floor"),
        ("3GeV", "`3GeV` is no number"),
        ("010", "write 10"),
        ("1e999", "larger than a float"),
        (str(LARGEST + 1), "more than 64 bits"),
        ("x" * (MAX_CHARACTERS + 1), "at most 2,000 characters"),
        ("\ud800", "half a character"),
    ],
)
def test_texts_without_a_meaning_are_refused(text: str, reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        tokens(text, "select")


def test_the_caret_stands_below_its_character() -> None:
    for text, position in (("a + b", 4), ("x" * 300 + "?" + "y" * 300, 300), ("x" * 200 + "?", 200)):
        lines = str(located_error("select", text, position, "odd")).splitlines()
        assert lines[0] == f"select: odd (column {position + 1}):"
        assert lines[1][lines[2].index("^")] == text[position]
    assert printable("a\tb\x00\u00e9") == "a b?\u00e9"
