"""The texts of expressions: precedence, names, and every wrong text refused with a caret under the column."""

from __future__ import annotations

from typing import Any

import pytest

from root_gnn.errors import InputError
from root_gnn.expressions.expression import Expression, parse

SAME = [
    ("a + b * c", "a + (b * c)"),
    ("a - b - c", "(a - b) - c"),
    ("a / b / c", "(a / b) / c"),
    ("a % b * c", "(a % b) * c"),
    ("-a ** 2", "-(a ** 2)"),
    ("-a * b", "(-a) * b"),
    ("- -a", "-(-a)"),
    ("a - -b", "a - (-b)"),
    ("-a[0] ** 2", "-((a[0]) ** 2)"),
    ("a < b + c", "a < (b + c)"),
    ("a < b and c < d", "(a < b) and (c < d)"),
    ("a > 3 & b < 2", "(a > 3) and (b < 2)"),
    ("a or b and c", "a or (b and c)"),
    ("a | b & c", "a or (b and c)"),
    ("a || b && c", "a or (b and c)"),
    ("a and b or c", "(a and b) or c"),
    ("not a and b", "(not a) and b"),
    ("not a < b", "not (a < b)"),
    ("!a == b", "(!a) == b"),
    ("!a && b", "(!a) && b"),
    ("not not a", "not (not a)"),
    ("not a in (1, 2)", "not (a in (1, 2))"),
    ("a + 1 in (1, 2) and b", "((a + 1) in (1, 2)) and b"),
    ("-a in (1,)", "(-a) in (1)"),
    ("a < b < c or d", "(a < b < c) or d"),
    ("a==b!=c", "a == b != c"),
    ("a and not b", "a and (not b)"),
    ("f.x:y::z.1*2", "`f.x:y::z.1` * 2"),
]


@pytest.mark.parametrize(("text", "explicit"), SAME, ids=[text for text, _ in SAME])
def test_precedence_is_that_of_the_parentheses(text: str, explicit: str) -> None:
    assert meaning(parse(text)) == meaning(parse(explicit))


def meaning(expression: Expression) -> list[Any]:
    return [(step.operation, step.n_argument, step.detail) for step in expression.steps]


def test_a_chain_is_no_pair_of_comparisons() -> None:
    assert meaning(parse("a < b < c")) != meaning(parse("(a < b) < c"))


def test_names_stand_in_the_order_of_their_first_use() -> None:
    expression = parse("pt > `a b/c` and Aux.pt > 1 or count(`#x`) > pt")
    assert expression.names == ("pt", "a b/c", "Aux.pt", "#x")
    assert expression.columns == {"pt": 1, "a b/c": 6, "Aux.pt": 18, "#x": 38}
    assert parse("count > 3 and `and`").names == ("count", "and")
    assert parse("1 + 1").names == ()


@pytest.mark.parametrize(
    ("text", "column", "reason"),
    [
        ("", 1, "the text is empty"),
        ("  ", 3, "the text is empty"),
        ("met >", 6, "a value was expected, not the end"),
        ("(met", 5, "`)` was expected"),
        ("met)", 4, "the end was expected"),
        ("met pt", 5, "an operator or the end"),
        ("()", 2, "a value was expected, not ')'"),
        ("met = 3", 5, "write =="),
        ("met // 3", 5, "floor(a / b)"),
        ("met ^ 2", 5, "write **"),
        ("~ok", 1, "`not` or !"),
        ("ok ? 1 : 2", 4, "where(condition, a, b)"),
        ("`met", 1, "backquotes"),
        ("``", 1, "backquotes"),
        ("'GT", 1, "quoted text"),
        ("met;", 4, "means nothing"),
        ("met\0", 4, "means nothing"),
        ("λ", 1, "means nothing"),
        ("a.b.", 4, "nothing has attributes"),
        ("().x", 3, "nothing has attributes"),
        ("(met).x", 6, "nothing has attributes"),
        ("0x1F", 1, "`0x1F` is no number"),
        ("30GeV", 1, "`30GeV`"),
        ("met > 1.f", 7, "`1.f`"),
        ("1_000", 1, "`1_000`"),
        ("010", 1, "octal"),
        ("met > 1e999", 7, "larger than a float"),
        ("18446744073709551616", 1, "64 bits"),
        ("met > -9223372036854775809", 7, "64 bits"),
        ("2 ** 11", 6, "between -10 and 10"),
        ("met ** w", 8, "a plain number"),
        ("9**9**9**9", 5, "parentheses"),
        ("met ** true", 8, "a plain number"),
        ("foo(met)", 1, "no function `foo`"),
        ("summ(pt)", 1, "did you mean sum"),
        ("`sum`(pt)", 1, "no function"),
        ("sum()", 1, "takes 1 arguments, not 0"),
        ("sum(pt, 1)", 1, "takes 1 arguments"),
        ("min(pt, 1, 2)", 1, "1 to 2"),
        ("sum(pt,)", 8, "a value was expected"),
        ("sum(pt", 7, "`)` was expected"),
        ("pt[0", 5, "`]` was expected"),
        ("pt[]", 4, "a value was expected"),
        ("pt[0:1]", 5, "colons"),
        ("met in 3", 8, "`(` was expected"),
        ("met in ()", 9, "whole numbers"),
        ("met in (1.5)", 9, "whole numbers"),
        ("met in (w)", 9, "whole numbers"),
        ("met in (1, 'a')", 5, "either"),
        ("1 < met in (1)", 9, "parentheses"),
        ("met in (1) < 2", 12, "parentheses"),
        ("met not 3", 9, "after `not`"),
        ("1 + not ok", 5, "parentheses"),
        ("lambda: 1", 7, "colons"),
        ("[x for x in pt]", 1, "a value was expected"),
        ("f'{met}'", 2, "an operator"),
        ("met if ok", 5, "an operator"),
        ("(" * 51 + "1" + ")" * 51, 51, "nested deeper"),
        ("met +\n\t* 2", 8, "a value was expected"),
        ("a\ud800", 2, "half a character"),
        ("1" + "+1" * 1_000, 2001, "2,000 characters"),
        ("{}", 1, "means nothing"),
        ("met @ w", 5, "means nothing"),
    ],
)
def test_a_wrong_text_is_refused_by_column(text: str, column: int, reason: str, points_at: Any) -> None:
    with pytest.raises(InputError) as caught:
        parse(text, where="nodes.jet.select")
    points_at(str(caught.value), text, column, reason)


def test_unknown_names_are_pointed_at_with_near_ones() -> None:
    expression = parse("count(jet_pt > 30) > 1 and jet_ptt[0] > 3", where="select")
    message = str(expression.unknown("jet_ptt", ["jet_pt", "mu_eta"], "a.root"))
    assert message.startswith("a.root: select: unknown branch `jet_ptt`; did you mean jet_pt? (column 28):")
    many = str(expression.unknown("jet_ptt", [f"x{i}" for i in range(100)]))
    assert "x55" not in many
    delphes = parse("Jet/Jet.PT > 3")
    assert "in backquotes: `Jet/Jet.PT`" in str(delphes.unknown("Jet", ["Jet_size", "Jet/Jet.PT"]))
    assert str(expression.error("no", 7)).startswith("select: no (column 7):")


def test_a_long_text_is_shown_where_it_is_wrong() -> None:
    text = "met + " * 200 + "$" + " + met" * 100
    with pytest.raises(InputError) as caught:
        parse(text)
    _, line, caret = str(caught.value).split("\n")
    assert len(line) < 120
    assert line[caret.index("^")] == "$"
