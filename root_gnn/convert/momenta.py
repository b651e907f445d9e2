"""Which inputs of another program are made of the momenta alone: networks here make those themselves."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from root_gnn.convert.formula import Formulas, Untranslatable, function_of


class Momenta:
    """Tells what networks here make of the momenta themselves."""

    def __init__(self, formulas: Formulas, names: Sequence[str]) -> None:
        self._formulas = formulas
        self._px, self._py, _, self._energy = (self._told(ast.Name(name)) for name in names)

    def made_inside(self, node: ast.expr) -> str:
        """The name of an input of `nn.token_inputs`, empty where it is none of them."""
        if not isinstance(node, ast.Call):
            return ""
        if function_of(node) == "hypot" and len(node.args) == 2:
            sides = [self._told(one) for one in node.args]
            return "delta_r" if all(sides) and not {self._px, self._py} & set(sides) and _are_angles(sides) else ""
        if function_of(node) != "log" or len(node.args) != 1:
            return ""
        inner = self._formulas.resolved(node.args[0])
        if isinstance(inner, ast.BinOp) and isinstance(inner.op, ast.Div) and self._formulas.branch(inner.right):
            of_jet = self._which(inner.left)
            return f"log_{of_jet}_rel" if of_jet else ""
        which = self._which(inner)
        return f"log_{which}" if which else ""

    def _which(self, node: ast.expr) -> str:
        """`pt` or `energy`, where a node is one of them."""
        found = self._formulas.resolved(node)
        if self._told(found) == self._energy != "":
            return "energy"
        if function_of(found) == "sqrt" and isinstance(found, ast.Call) and len(found.args) == 1:
            inner = self._formulas.resolved(found.args[0])
            squares = (
                [self._squared(side) for side in (inner.left, inner.right)] if isinstance(inner, ast.BinOp) else []
            )
            is_sum = isinstance(inner, ast.BinOp) and isinstance(inner.op, ast.Add)
            return "pt" if is_sum and sorted(squares) == sorted([self._px, self._py]) else ""
        if function_of(found) == "hypot" and isinstance(found, ast.Call):
            return "pt" if sorted(map(self._told, found.args)) == sorted([self._px, self._py]) else ""
        return ""

    def _squared(self, node: ast.expr) -> str:
        """The branch that a node is the square of."""
        found = self._formulas.resolved(node)
        if isinstance(found, ast.BinOp) and isinstance(found.op, ast.Pow) and ast.unparse(found.right) == "2":
            return self._told(found.left)
        if (
            isinstance(found, ast.BinOp)
            and isinstance(found.op, ast.Mult)
            and self._told(found.left) == self._told(found.right)
        ):
            return self._told(found.left)
        return ""

    def _told(self, node: ast.expr) -> str:
        """The branch that a node is, empty where it is none."""
        try:
            return self._formulas.branch(node) or ""
        except Untranslatable:
            return ""


def _are_angles(names: Sequence[str]) -> bool:
    """Whether two branches look like the distances of a particle from its jet in eta and phi."""
    return any("eta" in name.lower() for name in names) and any("phi" in name.lower() for name in names)
