"""Recognises inputs of another program that the networks here compute from the momenta themselves."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from root_gnn.convert.formula import Formulas, UntranslatableError, function_of


class Momenta:
    """Recognises inputs that are functions of the momenta."""

    def __init__(self, formulas: Formulas, names: Sequence[str]) -> None:
        """Takes the names of px, py, pz and energy among the formulas."""
        self._formulas = formulas
        self._px, self._py, _, self._energy = (self._branch(ast.Name(name)) for name in names)

    def made_inside(self, node: ast.expr) -> str:
        """Returns the name of the same input in `nn.token_inputs`; empty if there is none."""
        if not isinstance(node, ast.Call):
            return ""
        if function_of(node) == "hypot" and len(node.args) == 2:
            sides = [self._branch(one) for one in node.args]
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
        """Returns `pt` or `energy` if the node is one of them, otherwise an empty text."""
        resolved = self._formulas.resolved(node)
        if self._branch(resolved) == self._energy != "":
            return "energy"
        if function_of(resolved) == "sqrt" and isinstance(resolved, ast.Call) and len(resolved.args) == 1:
            inner = self._formulas.resolved(resolved.args[0])
            squares = (
                [self._squared(side) for side in (inner.left, inner.right)] if isinstance(inner, ast.BinOp) else []
            )
            is_sum = isinstance(inner, ast.BinOp) and isinstance(inner.op, ast.Add)
            return "pt" if is_sum and sorted(squares) == sorted([self._px, self._py]) else ""
        if function_of(resolved) == "hypot" and isinstance(resolved, ast.Call):
            return "pt" if sorted(map(self._branch, resolved.args)) == sorted([self._px, self._py]) else ""
        return ""

    def _squared(self, node: ast.expr) -> str:
        """Returns the branch of which the node is the square; empty if there is none."""
        resolved = self._formulas.resolved(node)
        if isinstance(resolved, ast.BinOp) and isinstance(resolved.op, ast.Pow) and ast.unparse(resolved.right) == "2":
            return self._branch(resolved.left)
        if (
            isinstance(resolved, ast.BinOp)
            and isinstance(resolved.op, ast.Mult)
            and self._branch(resolved.left) == self._branch(resolved.right)
        ):
            return self._branch(resolved.left)
        return ""

    def _branch(self, node: ast.expr) -> str:
        """Returns the branch if the node is just a branch, otherwise an empty text."""
        try:
            return self._formulas.branch(node) or ""
        except UntranslatableError:
            return ""


def _are_angles(names: Sequence[str]) -> bool:
    """Whether two branches look like the distances of a particle from its jet in eta and phi."""
    return any("eta" in name.lower() for name in names) and any("phi" in name.lower() for name in names)
