"""Splits an expression into tokens, and makes the messages that point at a position in it."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any

from root_gnn.errors import InputError

MAX_CHARACTERS = 2_000
LARGEST, SMALLEST = 2**64 - 1, -(2**63)
WINDOW = 100  # how many characters of the text a message shows
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:(?:\.|::?)[A-Za-z0-9_]+)*")
TOKEN = re.compile(
    rf"""(?P<space>[ \t\r\n]+)
    | (?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?)
    | (?P<name>{NAME.pattern})
    | (?P<quoted>`[^`]+`)
    | (?P<string>"[^"\\]*"|'[^'\\]*')
    | (?P<operator>\*\*|<=|>=|==|!=|&&|\|\||//|[-+*/%<>!&|()\[\],])""",
    re.VERBOSE,
)
WORDS = {"and": "and", "or": "or", "not": "not", "in": "in", "&&": "and", "&": "and", "||": "or", "|": "or"}
CONSTANTS = {"true": True, "True": True, "false": False, "False": False}
HINTS = {
    "=": "to compare write ==",
    "//": "for whole parts write floor(a / b)",
    "^": "for a power write **",
    "~": "for the opposite write `not` or !",
    "?": "for a choice write where(condition, a, b)",
    "`": "a name in backquotes has a beginning, an end and something between",
    '"': "quoted text ends with the quote it began with and has no backslash",
    "'": "quoted text ends with the quote it began with and has no backslash",
    ".": "dots stand inside names and numbers only; nothing has attributes here",
    ":": "colons stand inside names only",
}


@dataclass(frozen=True)
class Token:
    """A token of an expression.

    Attributes:
        kind: `constant`, `name`, `string`, `operator` or `end`.
        value: the constant, the name, the text or the operator.
        start: the position of its first character in the text, from 0.
        end: the position behind its last character.
    """

    kind: str
    value: Any
    start: int
    end: int


def printable(text: str) -> str:
    """The text on one line, with each unprintable character replaced by one that can be printed."""
    return "".join(c if c.isprintable() else " " if c in "\t\r\n" else "?" for c in text)


def located_error(where: str, text: str, position: int, reason: str) -> InputError:
    """An error with a reason, the column (`position` + 1), the text, and a caret under that column."""
    first = max(0, min(position - WINDOW // 2, len(text) - WINDOW))
    before, after = "..." if first else "", "..." if first + WINDOW < len(text) else ""
    line = before + printable(text[first : first + WINDOW]) + after
    return InputError(
        f"{where}: {reason} (column {position + 1}):\n    {line}\n    {' ' * (len(before) + position - first)}^"
    )


def tokens(text: str, where: str) -> list[Token]:
    """The tokens of the text, the last of kind `end`; raises InputError at a character that begins no token."""
    if len(text) > MAX_CHARACTERS:
        raise located_error(
            where,
            text,
            MAX_CHARACTERS,
            f"an expression has at most {MAX_CHARACTERS:,} characters, this one {len(text):,}",
        )
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise located_error(where, text, error.start, "half a character (a lone surrogate)") from error
    result, position = [], 0
    while position < len(text):
        match = TOKEN.match(text, position)
        word = match[0] if match else text[position]
        if match is None or word == "//":
            hint = f"; {HINTS[word]}" if word in HINTS else ""
            raise located_error(where, text, position, f"{word!a} means nothing here{hint}")
        if match.lastgroup != "space":
            kind, value = _meaning(str(match.lastgroup), word, text, position, where)
            result.append(Token(kind, value, position, match.end()))
        position = match.end()
    return [*result, Token("end", "", len(text), len(text))]


def _meaning(group: str, word: str, text: str, position: int, where: str) -> tuple[str, Any]:
    """The kind and value of a token.

    Args:
        group: the group of `TOKEN` that matched.
        word: the characters of the token.
        text: the whole expression, for messages.
        position: where the token begins in it.
        where: the beginning of messages.

    Raises InputError for a number that is not valid.
    """
    if group == "number":
        return "constant", _number(word, text, position, where)
    if group in ("string", "quoted"):
        return ("string" if group == "string" else "name"), word[1:-1]
    if group == "name" and word in CONSTANTS:
        return "constant", CONSTANTS[word]
    return ("operator" if group == "operator" or word in WORDS else "name"), WORDS.get(word, word)


def _number(word: str, text: str, position: int, where: str) -> int | float:
    end = position + len(word)
    if re.match(r"[A-Za-z0-9_.`]", text[end:]):
        tail = re.match(r"[A-Za-z0-9_.`]+", text[position:])
        raise located_error(
            where,
            text,
            position,
            f"`{tail[0] if tail else word}` is no number; numbers look like 3, 2.5, .5 or 1e-4, without units or "
            "suffixes",
        )
    if not word.isdigit():
        value = float(word)
        if math.isinf(value):
            raise located_error(where, text, position, "the number is larger than a float can be")
        return value
    if len(word) > 1 and word[0] == "0":
        raise located_error(
            where, text, position, f"a whole number begins with no 0 (octal in C++); write {word.lstrip('0') or '0'}"
        )
    if int(word) > LARGEST:
        raise located_error(where, text, position, f"the whole number has more than 64 bits (at most {LARGEST})")
    return int(word)
