"""Parses an expression into steps in postfix order; no part of the text is ever run as Python.

Operator-precedence parsing (Floyd 1963) keeps a stack of operators whose right side is not complete; only parentheses,
calls and subscripts recurse. The steps run one after another on a stack of values, so that neither a deep nor a long
expression can exhaust memory or the call stack.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NoReturn

from root_gnn.errors import suggest
from root_gnn.expressions.functions import FUNCTIONS
from root_gnn.expressions.operators import COMPARISONS
from root_gnn.expressions.tokens import SMALLEST, Token, located_error, tokens

MAX_DEPTH = 50
LARGEST_POWER = 10
COMPARISON, NOT, SIGN = 40, 30, 70
INFIX = {"or": 10, "and": 20, **dict.fromkeys(COMPARISONS, COMPARISON), "+": 50, "-": 50, "*": 60, "/": 60, "%": 60}
PREFIX = {"not": ("not", NOT), "!": ("not", SIGN), "-": ("negative", SIGN), "+": ("positive", SIGN)}


@dataclass(frozen=True)
class Step:
    """One operation on the last values of the stack.

    Attributes:
        operation: a key of `OPERATORS`, `constant` or `name`.
        n_argument: how many values it takes from the stack.
        detail: the constant, the name, or what else the operation needs.
        start: where its text begins in the expression.
        end: where its text ends.
        caret: the position that messages about it point at.
    """

    operation: str
    n_argument: int
    detail: Any
    start: int
    end: int
    caret: int


@dataclass
class _Pending:
    """An operator whose right side is not complete; `detail` holds the signs of a chain of comparisons."""

    operation: str
    binding: int
    n_argument: int
    start: int
    caret: int
    detail: tuple[str, ...] = ()


class Parser:
    """Parses one expression by recursive descent; each method consumes the tokens of its part and emits their steps."""

    def __init__(self, text: str, where: str) -> None:
        self.text, self.where = text, where
        self.tokens = tokens(text, where)
        self.position = 0
        self.depth = 0
        self.steps: list[Step] = []
        self.spans: list[tuple[int, int]] = []  # the text of each value on the stack, start and end

    def parse(self) -> tuple[Step, ...]:
        """The steps of the whole expression; raises InputError that points at the mistake."""
        if self.token.kind == "end":
            self.fail("an expression was expected, the text is empty")
        self.expression()
        if self.token.kind != "end":
            self.fail(f"an operator or the end was expected, not {self.token_text}")
        return tuple(self.steps)

    @property
    def token(self) -> Token:
        """The next token."""
        return self.tokens[self.position]

    @property
    def token_text(self) -> str:
        """The next token as messages show it."""
        return "the end" if self.token.kind == "end" else f"{self.text[self.token.start : self.token.end]!a}"

    def fail(self, reason: str, caret: int | None = None) -> NoReturn:
        """Raises InputError with a reason that points at `caret`, by default at the next token."""
        raise located_error(self.where, self.text, self.token.start if caret is None else caret, reason)

    def advance(self) -> Token:
        """Consumes the next token and returns it."""
        self.position += 1
        return self.tokens[self.position - 1]

    def at_operator(self, *values: str) -> bool:
        """Whether the next token is one of these operators."""
        return self.token.kind == "operator" and self.token.value in values

    def expect(self, value: str, after: str) -> Token:
        """Consumes an operator; raises InputError if the next token is another, with `after` as context."""
        if not self.at_operator(value):
            self.fail(f"`{value}` was expected {after}, not {self.token_text}")
        return self.advance()

    def emit(self, operation: str, n_argument: int, *, start: int, caret: int, detail: Any = None) -> None:
        """Adds a step whose text ends with the last token consumed.

        Args:
            operation: the operation.
            n_argument: how many values it takes.
            start: where its text begins, unless its first argument begins earlier.
            caret: the position that messages about it point at.
            detail: the constant, the name, or what else the operation needs.
        """
        arguments = self.spans[len(self.spans) - n_argument :]
        del self.spans[len(self.spans) - n_argument :]
        start, end = min([start, *(span[0] for span in arguments)]), self.tokens[self.position - 1].end
        self.steps.append(Step(operation, n_argument, detail, start, end, caret))
        self.spans.append((start, end))

    def expression(self) -> None:
        """Consumes everything up to a token that cannot continue the expression."""
        pending: list[_Pending] = []
        while True:
            self.prefixes(pending)
            self.operand()
            if self.at_operator("in", "not"):
                self.membership(pending)
            binding = INFIX.get(self.token.value) if self.token.kind == "operator" else None
            self.complete(pending, binding or 0)
            if binding is None:
                return
            self.infix(pending, binding)

    def prefixes(self, pending: list[_Pending]) -> None:
        """Consumes the signs and negations in front of a value."""
        while self.at_operator(*PREFIX):
            operation, binding = PREFIX[self.token.value]
            if binding == NOT and pending and pending[-1].binding > NOT:
                self.fail("`not` reaches as far as a comparison does; put it and what it negates in parentheses")
            pending.append(_Pending(operation, binding, 1, self.token.start, self.token.start))
            self.advance()

    def infix(self, pending: list[_Pending], binding: int) -> None:
        """Consumes an operator between two values; comparisons in a row become one chain."""
        token = self.advance()
        if binding != COMPARISON:
            pending.append(_Pending(token.value, binding, 2, token.start, token.start))
        elif pending and pending[-1].binding == COMPARISON:
            chain = pending[-1]
            chain.detail, chain.n_argument = (*chain.detail, token.value), chain.n_argument + 1
        else:
            pending.append(_Pending("compare", binding, 2, token.start, token.start, (token.value,)))

    def complete(self, pending: list[_Pending], binding: int) -> None:
        """Emits pending operators that bind at least as strongly as the next one; a chain of comparisons stays open."""
        while pending and (pending[-1].binding > binding or (pending[-1].binding == binding != COMPARISON)):
            operator = pending.pop()
            if (
                operator.operation == "negative"
                and self.steps[-1].operation == "constant"
                and not isinstance(self.steps[-1].detail, str)
            ):
                self.negate(operator)
            else:
                self.emit(
                    operator.operation,
                    operator.n_argument,
                    start=operator.start,
                    caret=operator.caret,
                    detail=operator.detail,
                )

    def negate(self, sign: _Pending) -> None:
        """Merges a minus sign into its constant, so that the smallest 64-bit integer can be written."""
        value = -self.steps.pop().detail
        self.spans.pop()
        if isinstance(value, int) and value < SMALLEST:
            self.fail(f"the whole number has more than 64 bits (at least {SMALLEST})", sign.caret)
        self.emit("constant", 0, start=sign.start, caret=sign.caret, detail=value)

    def operand(self) -> None:
        """Consumes a value with the subscripts and the power behind it."""
        self.atom()
        start = self.spans[-1][0]
        while self.at_operator("["):
            bracket = self.advance()
            self.nested(bracket.start)
            self.expect("]", "after the number of the element")
            self.emit("element", 2, start=start, caret=bracket.start)
        if self.at_operator("**"):
            caret = self.advance().start
            self.emit("power", 1, start=start, caret=caret, detail=self.exponent())
            if self.at_operator("**"):
                self.fail("a power of a power needs parentheses")

    def exponent(self) -> int | float:
        """Consumes the exponent of a power, a plain number."""
        start = self.token.start
        sign = -1 if self.at_operator("-") else 1
        if self.at_operator("-", "+"):
            self.advance()
        value = self.advance().value if self.token.kind == "constant" else None
        if value is None or isinstance(value, bool) or value > LARGEST_POWER:
            self.fail(f"the exponent has to be a plain number between -{LARGEST_POWER} and {LARGEST_POWER}", start)
        power: int | float = sign * value
        return power

    def atom(self) -> None:
        """Consumes a constant, a name, a call or a parenthesis."""
        token = self.token
        if token.kind in ("constant", "string"):
            self.advance()
            self.emit("constant", 0, start=token.start, caret=token.start, detail=token.value)
        elif token.kind == "name":
            self.advance()
            if self.at_operator("("):
                self.call(token)
            else:
                self.emit("name", 0, start=token.start, caret=token.start, detail=token.value)
        elif self.at_operator("("):
            self.advance()
            self.nested(token.start)
            self.expect(")", "to close the parenthesis")
            self.spans[-1] = (token.start, self.tokens[self.position - 1].end)
        else:
            self.fail(f"a value was expected, not {self.token_text}")

    def call(self, name: Token) -> None:
        """Consumes the arguments of a function; raises InputError where it does not exist or takes another number."""
        if name.value not in FUNCTIONS or self.text[name.start] == "`":
            self.fail(f"there is no function `{name.value}`{suggest(name.value, FUNCTIONS)}", name.start)
        function = FUNCTIONS[name.value]
        self.advance()
        n_argument = 0
        while not (n_argument == 0 and self.at_operator(")")):
            self.nested(name.start)
            n_argument += 1
            if not self.at_operator(","):
                break
            self.advance()
        self.expect(")", f"to close `{name.value}(`")
        if not function.least <= n_argument <= function.most:
            wanted = f"{function.least}" if function.least == function.most else f"{function.least} to {function.most}"
            self.fail(f"{name.value}({function.arguments}) takes {wanted} arguments, not {n_argument}", name.start)
        self.emit("call", n_argument, start=name.start, caret=name.start, detail=name.value)

    def nested(self, caret: int) -> None:
        """Consumes an expression inside brackets; raises InputError that points at `caret` if it is too deep."""
        self.depth += 1
        if self.depth > MAX_DEPTH:
            self.fail(f"nested deeper than {MAX_DEPTH} levels", caret)
        self.expression()
        self.depth -= 1

    def membership(self, pending: list[_Pending]) -> None:
        """Consumes `in (1, 2)` or `not in (1, 2)` behind a complete value."""
        caret = self.token.start
        self.complete(pending, COMPARISON)
        if pending and pending[-1].binding == COMPARISON:
            self.fail("`in` is no part of a chain of comparisons; use parentheses")
        operation = "in"
        if self.at_operator("not"):
            operation = "not in"
            self.advance()
        self.expect("in", "after `not`")
        self.expect("(", "after `in`, which takes a list such as (1, 2)")
        items = [self.item()]
        while self.at_operator(","):
            self.advance()
            if self.at_operator(")"):
                break
            items.append(self.item())
        if len({isinstance(item, str) for item in items}) > 1:
            self.fail("the list behind `in` holds either whole numbers or quoted texts", caret)
        self.expect(")", "to close the list behind `in`")
        self.emit(operation, 1, start=caret, caret=caret, detail=tuple(items))
        if self.at_operator("in", "not", *COMPARISONS):
            self.fail("`in` is no part of a chain of comparisons; use parentheses")

    def item(self) -> int | str:
        """Consumes an item of the list behind `in`: an integer or a quoted text."""
        token = self.token
        sign = -1 if self.at_operator("-") else 1
        if sign < 0:
            self.advance()
        if self.token.kind == "string" and sign > 0:
            return str(self.advance().value)
        value = self.token.value
        if (
            self.token.kind != "constant"
            or not isinstance(value, int)
            or isinstance(value, bool)
            or sign * value < SMALLEST
        ):
            self.fail(
                f"the list behind `in` holds whole numbers of 64 bits or quoted texts, not {self.token_text}",
                token.start,
            )
        self.advance()
        return sign * value
