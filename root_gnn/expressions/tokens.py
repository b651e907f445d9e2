"""The words of an expression, each with its place, and the message that points at one."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any

from root_gnn.errors import InputError

MAX_CHARACTERS = 2_000
LARGEST, SMALLEST = 2**64 - 1, -(2**63)
WINDOW = 100  # characters of the text that a message shows
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
    """A word: its `kind` (constant, name, string, operator, end), its meaning, and where it stands in the text (from 0)."""

    kind: str
    value: Any
    start: int
    end: int


def shown(text: str) -> str:
    """The text on one line, unprintable characters replaced one for one."""
    return "".join(c if c.isprintable() else " " if c in "\t\r\n" else "?" for c in text)


def complaint(where: str, text: str, at: int, reason: str) -> InputError:
    """The error whose message gives the reason, the column (from 1), the text, and a caret under the column."""
    first = max(0, min(at - WINDOW // 2, len(text) - WINDOW))
    before, after = "..." if first else "", "..." if first + WINDOW < len(text) else ""
    line = before + shown(text[first : first + WINDOW]) + after
    return InputError(f"{where}: {reason} (column {at + 1}):\n    {line}\n    {' ' * (len(before) + at - first)}^")


def tokens(text: str, where: str) -> list[Token]:
    """The words of the text, the last of kind `end`; raises InputError at the first character that begins no word."""
    if len(text) > MAX_CHARACTERS:
        raise complaint(
            where,
            text,
            MAX_CHARACTERS,
            f"an expression has at most {MAX_CHARACTERS:,} characters, this one {len(text):,}",
        )
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise complaint(where, text, error.start, "half a character (a lone surrogate)") from error
    found, at = [], 0
    while at < len(text):
        match = TOKEN.match(text, at)
        word = match[0] if match else text[at]
        if match is None or word == "//":
            hint = f"; {HINTS[word]}" if word in HINTS else ""
            raise complaint(where, text, at, f"{word!a} means nothing here{hint}")
        if match.lastgroup != "space":
            kind, value = _meaning(str(match.lastgroup), word, text, at, where)
            found.append(Token(kind, value, at, match.end()))
        at = match.end()
    return [*found, Token("end", "", len(text), len(text))]


def _meaning(group: str, word: str, text: str, at: int, where: str) -> tuple[str, Any]:
    if group == "number":
        return "constant", _number(word, text, at, where)
    if group in ("string", "quoted"):
        return ("string" if group == "string" else "name"), word[1:-1]
    if group == "name" and word in CONSTANTS:
        return "constant", CONSTANTS[word]
    return ("operator" if group == "operator" or word in WORDS else "name"), WORDS.get(word, word)


def _number(word: str, text: str, at: int, where: str) -> int | float:
    end = at + len(word)
    if re.match(r"[A-Za-z0-9_.`]", text[end:]):
        tail = re.match(r"[A-Za-z0-9_.`]+", text[at:])
        raise complaint(
            where,
            text,
            at,
            f"`{tail[0] if tail else word}` is no number; numbers look like 3, 2.5, .5 or 1e-4, without units or suffixes",
        )
    if not word.isdigit():
        value = float(word)
        if math.isinf(value):
            raise complaint(where, text, at, "the number is larger than a float can be")
        return value
    if len(word) > 1 and word[0] == "0":
        raise complaint(
            where, text, at, f"a whole number begins with no 0 (octal in C++); write {word.lstrip('0') or '0'}"
        )
    if int(word) > LARGEST:
        raise complaint(where, text, at, f"the whole number has more than 64 bits (at most {LARGEST})")
    return int(word)
