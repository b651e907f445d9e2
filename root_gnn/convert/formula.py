"""Translates Python formulas, as weaver-core has them, to the language of data specs; they are never executed."""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any

from root_gnn.errors import InputError
from root_gnn.expressions.expression import parse
from root_gnn.expressions.tokens import CONSTANTS, MAX_CHARACTERS, NAME, WORDS

MODULES = ("np", "numpy", "ak", "awkward", "math")
NUMBERS = {"pi": math.pi, "e": math.e}
SAME = {
    **{
        name: name
        for name in (
            "abs",
            "sqrt",
            "exp",
            "log",
            "log10",
            "log1p",
            "sin",
            "cos",
            "tan",
            "arcsin",
            "arccos",
            "arctan",
            "arctan2",
            "sinh",
            "cosh",
            "tanh",
            "arcsinh",
            "floor",
            "ceil",
            "round",
            "minimum",
            "maximum",
            "where",
            "isfinite",
            "clip",
        )
    },
    "absolute": "abs",
    "fabs": "abs",
    "rint": "round",
    "_clip": "clip",
}
"""Elementwise functions, and their names here."""
MADE: Mapping[str, tuple[int, str]] = {
    "hypot": (2, "sqrt({0} ** 2 + {1} ** 2)"),
    "square": (1, "{0} ** 2"),
    "power": (2, "{0} ** {1}"),
    "divide": (2, "{0} / {1}"),
    "true_divide": (2, "{0} / {1}"),
    "multiply": (2, "{0} * {1}"),
    "add": (2, "{0} + {1}"),
    "subtract": (2, "{0} - {1}"),
    "negative": (1, "-{0}"),
    "logical_and": (2, "{0} and {1}"),
    "logical_or": (2, "{0} or {1}"),
    "logical_not": (1, "not {0}"),
    "ones_like": (1, "where(isfinite({0}), 1, 1)"),
    "zeros_like": (1, "where(isfinite({0}), 0, 0)"),
    "sign": (1, "where({0} > 0, 1, where({0} < 0, -1, 0))"),
    "deg2rad": (1, "{0} * 0.017453292519943295"),
    "num": (1, "count(1 * {0})"),
}
"""Functions that become expressions: number of arguments, and the expression."""
OVER_LISTS = {
    "sum": "sum({0})",
    "max": "max({0})",
    "min": "min({0})",
    "mean": "mean({0})",
    "any": "any({0})",
    "all": "all({0})",
    "count": "count(1 * {0})",
    "count_nonzero": "count({0} != 0)",
}
"""Reductions over the list of each entry."""
BINARY: Mapping[type[ast.operator], str] = {
    ast.Add: "{0} + {1}",
    ast.Sub: "{0} - {1}",
    ast.Mult: "{0} * {1}",
    ast.Div: "{0} / {1}",
    ast.Mod: "{0} % {1}",
    ast.Pow: "{0} ** {1}",
    ast.FloorDiv: "floor({0} / {1})",
    ast.BitAnd: "{0} and {1}",
    ast.BitOr: "{0} or {1}",
}
UNARY: Mapping[type[ast.unaryop], str] = {ast.USub: "-{0}", ast.UAdd: "+{0}", ast.Not: "not {0}", ast.Invert: "not {0}"}
COMPARED: Mapping[type[ast.cmpop], str] = {
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.In: "in",
    ast.NotIn: "not in",
}


class UntranslatableError(Exception):
    """Raised for a formula that cannot be translated."""


class Formulas:
    """Named formulas, which may use each other's names; any other name is a branch.

    Every method raises UntranslatableError, with the reason.
    """

    def __init__(self, named: Mapping[str, Any]) -> None:
        """Takes the text of each formula by its name."""
        self._texts = {name: str(text) for name, text in named.items() if str(text) != name}
        self._trees: dict[str, ast.expr] = {}
        self._length: dict[str, int] = {}

    def tree(self, text: str) -> ast.expr:
        """Returns the syntax tree of a formula, or of the formula with this name."""
        return self.resolved(_parsed(text))

    def variable(self, name: str) -> ast.expr:
        """Returns the syntax tree for a name, which may contain any characters if it is a branch."""
        return self.resolved(ast.Name(name))

    def resolved(self, node: ast.expr) -> ast.expr:
        """Replaces a name of a formula by that formula; returns any other node unchanged."""
        for _ in range(len(self._texts) + 1):
            if not isinstance(node, ast.Name) or node.id not in self._texts:
                return node
            node = self._tree_of(node.id)
        raise UntranslatableError("it is defined by itself")

    def branch(self, node: ast.expr) -> str | None:
        """Returns the branch if the node is just a branch, otherwise None."""
        resolved = self.resolved(node)
        return resolved.id if isinstance(resolved, ast.Name) else None

    def expression(self, node: ast.expr | str) -> str:
        """Returns the formula as an expression of data specs."""
        start = _parsed(node) if isinstance(node, str) else node
        self._check_length(start, ())
        try:
            text = _Writer(self).text(self.resolved(start))
            parse(text)
        except RecursionError:
            raise UntranslatableError("it is nested too deeply") from None
        except InputError as error:
            raise UntranslatableError(str(error).partition("\n")[0].removeprefix("expression: ")) from None
        return text

    def _tree_of(self, name: str) -> ast.expr:
        if name not in self._trees:
            self._trees[name] = _parsed(self._texts[name])
        return self._trees[name]

    def _check_length(self, node: ast.expr, above: tuple[str, ...]) -> int:
        """Returns a lower bound of the length of the expanded formula; rejects long and recursive ones."""
        total = 0
        for part in ast.walk(node):
            if not isinstance(part, ast.Name) or part.id not in self._texts:
                total += isinstance(part, ast.expr)
                continue
            if part.id in above:
                raise UntranslatableError(f"{part.id} is defined by itself")
            if part.id not in self._length:
                self._length[part.id] = self._check_length(self._tree_of(part.id), (*above, part.id))
            total += self._length[part.id]
        if total > MAX_CHARACTERS:
            raise UntranslatableError(
                f"with all it names written out it is longer than the {MAX_CHARACTERS:,} characters of an expression"
            )
        return total


def function_of(node: ast.expr) -> str | None:
    """Returns the name of the function that a node calls, without its module; None for anything else."""
    if not isinstance(node, ast.Call):
        return None
    called = node.func
    if isinstance(called, ast.Name):
        return called.id
    return (
        called.attr
        if isinstance(called, ast.Attribute) and isinstance(called.value, ast.Name) and called.value.id in MODULES
        else None
    )


def _parsed(text: str) -> ast.expr:
    if len(text) > MAX_CHARACTERS:
        raise UntranslatableError(f"it has more than the {MAX_CHARACTERS:,} characters of an expression")
    try:
        return ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise UntranslatableError(f"{text[:60]!r} is no formula ({type(error).__name__})") from None


class _Writer:
    """Writes syntax trees as text; the name of a formula becomes that formula in parentheses."""

    def __init__(self, formulas: Formulas) -> None:
        self._formulas = formulas

    @cached_property
    def _forms(self) -> Mapping[type[ast.expr], Callable[[Any], str]]:
        return {
            ast.Name: self._name,
            ast.Constant: self._constant,
            ast.BinOp: self._binary,
            ast.UnaryOp: self._unary,
            ast.BoolOp: self._logical,
            ast.Compare: self._compare,
            ast.Call: self._call,
            ast.Attribute: self._attribute,
            ast.Subscript: self._subscript,
        }

    def text(self, node: ast.expr) -> str:
        """Returns the text of a formula."""
        form = self._forms.get(type(node))
        if form is None:
            raise UntranslatableError(f"`{_source(node)}` has no form here")
        return form(node)

    def part(self, node: ast.expr) -> str:
        """Returns the text of a part of a formula, in parentheses if it needs them."""
        text = self.text(self._formulas.resolved(node))
        return text if _is_closed(text) else f"({text})"

    def _name(self, node: ast.Name) -> str:
        if not NAME.fullmatch(node.id) or node.id in WORDS or node.id in CONSTANTS:
            return f"`{node.id}`"
        return node.id

    def _constant(self, node: ast.Constant) -> str:
        value = node.value
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, str):
            return f'"{value}"'
        if isinstance(value, int) or (isinstance(value, float) and math.isfinite(value)):
            return repr(value)
        raise UntranslatableError(f"`{value!r}` is no number")

    def _binary(self, node: ast.BinOp) -> str:
        form = BINARY.get(type(node.op))
        sides = (node.left, node.right)
        if form is None or (isinstance(node.op, ast.BitAnd | ast.BitOr) and any(_is_number(side) for side in sides)):
            raise UntranslatableError(f"`{_source(node)}` works on bits, which nothing here does")
        if isinstance(node.op, ast.Pow) and _is_number(node.right):
            return f"{self.part(node.left)} ** {self.text(node.right)}"
        return form.format(*map(self.part, sides))

    def _unary(self, node: ast.UnaryOp) -> str:
        return UNARY[type(node.op)].format(self.part(node.operand))

    def _logical(self, node: ast.BoolOp) -> str:
        return (" and " if isinstance(node.op, ast.And) else " or ").join(map(self.part, node.values))

    def _compare(self, node: ast.Compare) -> str:
        words = [self.part(node.left)]
        for sign, side in zip(node.ops, node.comparators, strict=True):
            if type(sign) not in COMPARED:
                raise UntranslatableError(f"`{_source(node)}` has no form here")
            is_list = isinstance(sign, ast.In | ast.NotIn) and isinstance(side, ast.Tuple | ast.List)
            values = side.elts if isinstance(side, ast.Tuple | ast.List) else []
            words += [COMPARED[type(sign)], f"({', '.join(map(self.text, values))})" if is_list else self.part(side)]
        return " ".join(words)

    def _attribute(self, node: ast.Attribute) -> str:
        if isinstance(node.value, ast.Name) and node.value.id in MODULES and node.attr in NUMBERS:
            return repr(NUMBERS[node.attr])
        raise UntranslatableError(f"`{_source(node)}`: nothing here has attributes")

    def _subscript(self, node: ast.Subscript) -> str:
        place = node.slice
        of_each = isinstance(place, ast.Tuple) and len(place.elts) == 2 and _source(place.elts[0]) == ":"
        if not of_each or not isinstance(place, ast.Tuple) or not _is_number(place.elts[1]):
            raise UntranslatableError(
                f"`{_source(node)}`: of subscripts only x[:, 0], the first of each list, has a form here"
            )
        return f"{self.part(node.value)}[{self.text(place.elts[1])}]"

    def _call(self, node: ast.Call) -> str:
        name = function_of(node)
        keys = {keyword.arg: keyword.value for keyword in node.keywords}
        arguments = [*node.args, *(keys.pop(key) for key in ("a_min", "a_max") if key in keys)]
        if name in OVER_LISTS and isinstance(node.func, ast.Attribute):
            return self._reduction(node, str(name), arguments, keys)
        if name == "num" and len(arguments) + len(keys) == 2:
            return self._reduction(node, "count", arguments, keys)
        if keys or any(isinstance(one, ast.Starred) for one in arguments):
            raise UntranslatableError(f"`{_source(node)}`: its options have no form here")
        if name in SAME:
            return f"{SAME[name]}({', '.join(self.text(self._formulas.resolved(one)) for one in arguments)})"
        count, form = MADE.get(str(name), (-1, ""))
        if len(arguments) != count:
            raise UntranslatableError(f"there is no function {_source(node.func)} of {len(arguments)} arguments here")
        if name == "power":
            return self._binary(ast.BinOp(arguments[0], ast.Pow(), arguments[1]))
        return form.format(*map(self.part, arguments))

    def _reduction(
        self, node: ast.Call, name: str, arguments: Sequence[ast.expr], keys: dict[str | None, ast.expr]
    ) -> str:
        axis = keys.pop("axis", arguments[1] if len(arguments) == 2 else None)
        if keys or not arguments or axis is None or _source(axis) not in ("1", "-1"):
            raise UntranslatableError(
                f"`{_source(node)}`: only reductions of each entry's list (axis=1) have a form here"
            )
        return OVER_LISTS[name].format(self.part(arguments[0]))


def _is_closed(text: str) -> bool:
    """Whether a text needs no parentheses next to an operator: a word, a call, or something in parentheses."""
    if text[0] in "-+" or text.startswith("not "):
        return False
    depth = 0
    for position, sign in enumerate(text):
        depth += (sign in "([") - (sign in ")]")
        if depth == 0 and sign == " ":
            return False
        if depth == 0 and sign in ")]" and position < len(text) - 1 and text[position + 1] not in "[":
            return False
    return True


def _is_number(node: ast.expr) -> bool:
    inner = node.operand if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd) else node
    return (
        isinstance(inner, ast.Constant) and isinstance(inner.value, int | float) and not isinstance(inner.value, bool)
    )


def _source(node: ast.AST) -> str:
    text = ast.unparse(node)
    return text if len(text) <= 60 else f"{text[:57]}..."
