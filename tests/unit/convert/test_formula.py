"""Translated formulas of weaver-core give the numbers that Python gives; untranslatable ones are refused."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from root_gnn.convert.formula import Formulas, UntranslatableError
from root_gnn.expressions.expression import parse

COLUMNS = {
    "part_px": ak.Array([[3.0, -4.0, 0.5], [], [2.5]]),
    "part_py": ak.Array([[4.0, 3.0, -0.25], [], [-1.5]]),
    "part_energy": ak.Array([[9.0, 6.0, 1.0], [], [4.0]]),
    "part_deta": ak.Array([[0.1, -0.3, 0.0], [], [0.2]]),
    "part_id": ak.Array([[211, -11, 22], [], [130]]),
    "jet_pt": np.array([8.0, 5.0, 3.0]),
    "jet_mass": np.array([1.5, 0.25, 0.0]),
    "n": np.array([2, 0, 1]),
    "label": np.array([1, 0, 1]),
}
NAMED = {
    "part_pt": "np.hypot(part_px, part_py)",
    "relative": "np.log(part_pt/jet_pt)",
    "n": "n",
    "is_signal": "label",
    "is_other": "1-label",
    "twice": "is_other + is_other",
    "circle": "circle2 + 1",
    "circle2": "circle * 2",
}
SAME = (
    "np.log(part_energy)",
    "part_pt",
    "relative",
    "np.sqrt(part_px**2 + part_py**2)",
    "np.tanh(part_deta) * -1.5",
    "-part_px + +part_py",
    "part_px - (part_py - part_energy)",
    "part_px / (part_py / part_energy)",
    "(part_px - part_py) - part_energy",
    "2 ** 3 + -2 ** 2",
    "jet_pt ** -2",
    "np.power(part_energy, 2) % 5",
    "part_energy // 2",
    "np.where(part_px > 0, part_px, -part_py)",
    "(jet_pt > 4) & (jet_mass < 1)",
    "(jet_pt > 4) | ~(n == 1)",
    "~(jet_pt > 4)",
    "np.logical_or(jet_pt > 4, n != 0)",
    "jet_pt > 4",
    "np.logical_not(jet_pt > 4) & ((n == 0) | (jet_mass >= 0.25))",
    "np.abs(part_id) == 211",
    "np.clip(jet_pt, -0.2, 4.1)",
    "np.clip(jet_pt, a_min=3.5, a_max=4)",
    "ak.num(part_px, axis=1) >= 1",
    "ak.num(part_px) * 2",
    "ak.sum(part_px, axis=1)",
    "np.sum(part_energy, axis=-1) > jet_pt",
    "ak.any(part_px > 2.7, axis=1)",
    "ak.all(part_energy > 1, 1)",
    "ak.count_nonzero(part_px > 0, axis=1)",
    "ak.ones_like(part_energy)",
    "np.zeros_like(jet_pt) + 0.5",
    "np.sign(part_px)",
    "is_other",
    "twice * np.pi",
    "np.arctan2(part_py, part_px)",
    "np.maximum(part_px, 0) - np.minimum(jet_pt, 4)",
    "math.pi / 2 + jet_pt",
    "np.square(part_px) + np.hypot(part_px, 3 * part_py)",
    "1e-3 * jet_pt",
    "np.deg2rad(jet_pt)",
    "np.log10(np.add(jet_pt, 1.0))",
)
REFUSED = {
    "no form": ("[x for x in part_px]", "lambda: 0", "a if n else b"),
    "no function": (
        "__import__('os').system('touch executed')",
        "().__class__.__mro__[1].__subclasses__()",
        "open('executed', 'w')",
        "np.percentile(part_px, 5)",
        "_p4_from_pxpypze(a, b, c, d)",
        "len(part_px)",
    ),
    "attributes": ("np.__class__", "part_p4.pt"),
    "bits": ("n & 4", "n ^ 1", "n << 1"),
    "axis=1": ("ak.sum(part_px)", "ak.sum(part_px, axis=0)", "np.max(part_px, axis=1, mask_identity=False)"),
    r"x\[:, 0\]": ("part_px[0]", "part_px[part_py > 0]", "part_px[:, 1:]"),
    "options": ("np.where(n > 0, a, b, **n)", "np.abs(x, out=n)"),
    "no formula": ("x +", "", "x = 1", "import os", "\0"),
    "itself": ("circle",),
    "exponent": ("n ** n",),
    "no number": ("1j * n", "1e999 * n"),
    "nested too deeply|no formula": ("-" * 1500 + "n", "(" * 900 + "n" + ")" * 900),
    "characters": ("n" + " + n" * 900,),
}


@pytest.mark.parametrize("text", SAME)
def test_numbers_are_those_of_python(text: str) -> None:
    names: dict[str, Any] = {"np": np, "ak": ak, "math": math, **COLUMNS}
    with np.errstate(all="ignore"):
        names |= {name: eval(NAMED[name], names) for name in ("part_pt", "is_other")}
        names |= {name: eval(NAMED[name], names) for name in ("relative", "twice")}
        expected = eval(text, names)
    expected = expected if isinstance(expected, ak.Array | np.ndarray) else np.full(3, expected)
    found = parse(Formulas(NAMED).expression(text)).evaluate(COLUMNS, 3)
    assert ak.Array(found).ndim == ak.Array(expected).ndim
    np.testing.assert_allclose(
        *(ak.to_numpy(ak.flatten(ak.Array(one), axis=None)) for one in (found, expected)), rtol=1e-12
    )


def test_a_column_of_each_list_is_its_element() -> None:
    expression = parse(Formulas(NAMED).expression("part_energy[:, 0] > jet_pt"))
    assert expression.text == "part_energy[0] > jet_pt"
    filled = {name: column[[0, 2]] for name, column in COLUMNS.items()}
    assert expression.evaluate(filled, 2).tolist() == [True, True]


@pytest.mark.parametrize("said", REFUSED)
def test_what_has_no_form_is_refused_and_never_run(said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for text in REFUSED[said]:
        with pytest.raises(UntranslatableError, match=said):
            Formulas(NAMED).expression(text)
    assert not list(tmp_path.iterdir())


def test_names_that_double_at_every_step_are_refused_before_they_are_written_out() -> None:
    doubling = {f"x{k}": f"x{k + 1} + x{k + 1}" for k in range(200)}
    with pytest.raises(UntranslatableError, match="written out"):
        Formulas(doubling).expression("x0")


@given(
    st.recursive(
        st.sampled_from(["a", "b", "2", "0.5"]),
        lambda inner: st.one_of(
            st.tuples(inner, st.sampled_from(["+", "-", "*", "/", "%"]), inner).map(
                lambda parts: f"({parts[0]} {parts[1]} {parts[2]})"
            ),
            st.tuples(inner, st.sampled_from(["+", "-", "*"]), inner).map(lambda parts: " ".join(parts)),
            inner.map(lambda one: f"-{one}"),
            inner.map(lambda one: f"np.abs({one})"),
            inner.map(lambda one: f"({one}) ** 2"),
        ),
        max_leaves=8,
    )
)
def test_precedence_is_that_of_python(text: str) -> None:
    columns = {"a": np.array([1.5, -2.0, 3.0]), "b": np.array([0.5, 4.0, -1.0])}
    with np.errstate(all="ignore"):
        try:
            expected = np.broadcast_to(eval(text, {"np": np, **columns}), 3)
        except (ZeroDivisionError, OverflowError):
            return  # of plain numbers, which Python divides itself
    found = parse(Formulas({}).expression(text)).evaluate(columns, 3)
    np.testing.assert_allclose(np.asarray(found, dtype=float), expected.astype(float), rtol=1e-9)
