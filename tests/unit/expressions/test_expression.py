"""The expression language: values against Python loops over events, precedence, errors with columns, and a fuzz."""

from __future__ import annotations

import builtins
import math
import re
import warnings
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import awkward as ak
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from root_gnn.errors import InputError
from root_gnn.expressions.expression import parse
from root_gnn.expressions.functions import FUNCTIONS

PAGE = Path(__file__).parents[3] / "docs" / "expressions.md"
BIG = 2**63 + 5
EVENTS: list[dict[str, Any]] = [
    {
        "pt": [50.25, 40.0, 10.5],
        "eta": [1.0, -2.75, 0.5],
        "tag": [True, False, True],
        "n": [3, 1, 2],
        "w": 1.0,
        "met": 30.0,
        "id": 2**53 + 1,
        "ok": True,
        "vv": [[1.5, 2.0], []],
        "kind": "GT",
        "u": BIG,
    },
    {
        "pt": [],
        "eta": [],
        "tag": [],
        "n": [],
        "w": -1.25,
        "met": 0.0,
        "id": 7,
        "ok": False,
        "vv": [],
        "kind": "",
        "u": 0,
    },
    {
        "pt": [35.0],
        "eta": [3.0],
        "tag": [False],
        "n": [-5],
        "w": 0.5,
        "met": 31.5,
        "id": -4,
        "ok": True,
        "vv": [[3.5]],
        "kind": "GTX",
        "u": 6,
    },
    {
        "pt": [-1.0, 22.0],
        "eta": [0.0, -0.5],
        "tag": [True, True],
        "n": [0, 9],
        "w": 2.0,
        "met": 5.0,
        "id": 0,
        "ok": False,
        "vv": [[], [4.0, 5.0, 6.5], [7.0]],
        "kind": "é",
        "u": 2**64 - 1,
    },
]
TYPES = {"w": np.float32, "met": np.float64, "id": np.int64, "ok": np.bool_, "u": np.uint64}
NUMBERS: dict[str, Any] = {key: np.array([event[key] for event in EVENTS], dtype=dtype) for key, dtype in TYPES.items()}
LISTS = {key: ak.Array([event[key] for event in EVENTS]) for key in ("pt", "eta", "tag", "n", "vv", "kind")}
VALUES: dict[str, Any] = {**NUMBERS, **LISTS}


def evaluate(text: str, values: dict[str, Any] = VALUES, n_entry: int = len(EVENTS)) -> Any:
    return parse(text, where="select").evaluate(values, n_entry)


def refused(text: str, values: dict[str, Any] = VALUES) -> str:
    with pytest.raises(InputError) as caught:
        evaluate(text, values)
    return str(caught.value)


def each(function: Callable[..., Any], *lists: Any) -> list[Any]:
    return [function(*items) for items in zip(*lists, strict=True)]


def near(a: float, b: float) -> float:
    """The difference of two angles, the slow way."""
    return math.atan2(math.sin(a - b), math.cos(a - b))


# Each expression beside the same thing for one event in plain Python.
TABLE: list[tuple[str, Callable[[SimpleNamespace], Any]]] = [
    ("met", lambda e: e.met),
    ("`met` + 1", lambda e: e.met + 1),
    ("w * met - 3 / 2", lambda e: e.w * e.met - 1.5),
    ("-w ** 2 + 2 ** -1", lambda e: -(e.w**2) + 0.5),
    ("+met % 7", lambda e: e.met % 7),
    ("id % 5", lambda e: e.id % 5),
    ("-id", lambda e: -e.id),
    ("id + 1 == 9007199254740994", lambda e: e.id + 1 == 9007199254740994),
    ("id == 9007199254740992", lambda _: False),
    ("u == 9223372036854775813 or u == 18446744073709551615", lambda e: e.u in (BIG, 2**64 - 1)),
    ("u > id", lambda e: e.u > e.id),
    ("id < u - 0", lambda e: e.id < e.u),
    ("u in (9223372036854775813, -1, 6)", lambda e: e.u in (BIG, 6)),
    ("id not in (7, 0,)", lambda e: e.id not in (7, 0)),
    ("met in (30, 0)", lambda e: e.met in (30.0, 0.0)),
    ("n in (1, -5)", lambda e: [n in (1, -5) for n in e.n]),
    ("0 < w < 1.5", lambda e: 0 < e.w < 1.5),
    ("0 <= w != met > 1 == true", lambda e: 0 <= e.w != e.met > 1 and e.met > 1),
    ("ok and w > 0 or met < 1", lambda e: (e.ok and e.w > 0) or e.met < 1),
    ("ok && w > 0 || met < 1", lambda e: (e.ok and e.w > 0) or e.met < 1),
    ("w > 0 & met > 10 | !ok", lambda e: (e.w > 0 and e.met > 10) or not e.ok),
    ("not w > 0 and not ok", lambda e: not e.w > 0 and not e.ok),
    ("!ok == false", lambda e: e.ok),
    ("(w > 0) + ok", lambda e: (e.w > 0) + e.ok),
    ("kind == 'GT'", lambda e: e.kind == "GT"),
    ('"é" != kind', lambda e: e.kind != "é"),
    ("kind in ('GT', \"\")", lambda e: e.kind in ("GT", "")),
    ("pt * w", lambda e: [pt * e.w for pt in e.pt]),
    ("pt > 30 and abs(eta) < 2.5", lambda e: each(lambda pt, eta: pt > 30 and abs(eta) < 2.5, e.pt, e.eta)),
    ("where(tag, pt, 0)", lambda e: each(lambda tag, pt: pt if tag else 0.0, e.tag, e.pt)),
    ("where(ok, 1, id)", lambda e: 1 if e.ok else e.id),
    ("pt[tag]", lambda e: [pt for pt, tag in zip(e.pt, e.tag, strict=True) if tag]),
    ("sum(pt[abs(eta) < 2.5])", lambda e: sum(pt for pt, eta in zip(e.pt, e.eta, strict=True) if abs(eta) < 2.5)),
    ("sum(pt)", lambda e: sum(e.pt)),
    ("sum(n) * 2", lambda e: sum(e.n) * 2),
    ("sum(vv)", lambda e: [sum(v) for v in e.vv]),
    ("sum(sum(vv))", lambda e: sum(sum(v) for v in e.vv)),
    ("max(flatten(vv), -1)", lambda e: max((x for v in e.vv for x in v), default=-1)),
    ("vv * w", lambda e: [[x * e.w for x in v] for v in e.vv]),
    ("vv - mean(vv)", lambda e: [[x - sum(v) / len(v) for x in v] for v in e.vv]),
    ("count(vv[vv > 4])", lambda e: [sum(x > 4 for x in v) for v in e.vv]),
    ("mean(pt)", lambda e: sum(e.pt) / len(e.pt) if e.pt else math.nan),
    ("std(pt)", lambda e: float(np.std(e.pt)) if e.pt else math.nan),
    ("min(pt)", lambda e: min(e.pt, default=math.nan)),
    ("max(n, -9)", lambda e: max(e.n, default=-9)),
    ("min(n, 0.5)", lambda e: min(e.n, default=0.5)),
    ("count(pt)", lambda e: len(e.pt)),
    ("count(pt > 30)", lambda e: sum(pt > 30 for pt in e.pt)),
    ("sum(tag)", lambda e: sum(e.tag)),
    ("any(tag)", lambda e: any(e.tag)),
    ("all(pt > 0)", lambda e: all(pt > 0 for pt in e.pt)),
    (
        "any(pt > 30 and abs(eta) < 2.5) or w < 0",
        lambda e: any(pt > 30 and abs(x) < 2.5 for pt, x in zip(e.pt, e.eta, strict=True)) or e.w < 0,
    ),
    ("first(pt, -1)", lambda e: e.pt[0] if e.pt else -1),
    ("last(n, 0)", lambda e: e.n[-1] if e.n else 0),
    ("item(pt, 1, 0)", lambda e: e.pt[1] if len(e.pt) > 1 else 0),
    ("item(pt, -2, 0)", lambda e: e.pt[-2] if len(e.pt) > 1 else 0),
    ("item(pt, 18446744073709551615, 1) + item(pt, -9223372036854775808, 2)", lambda _: 3),
    ("first(tag, false)", lambda e: e.tag[0] if e.tag else False),
    (
        "item(flatten(vv), 2, 0)",
        lambda e: [*(x for v in e.vv for x in v), 0, 0, 0][2] if sum(map(len, e.vv)) > 2 else 0,
    ),
    ("minimum(met, 20) + maximum(id, 3)", lambda e: min(e.met, 20) + max(e.id, 3)),
    ("maximum(u, 5)", lambda e: max(e.u, 5)),
    ("clip(pt, 0, 40)", lambda e: [min(max(pt, 0), 40) for pt in e.pt]),
    ("abs(id) + abs(w)", lambda e: abs(e.id) + abs(e.w)),
    ("floor(w) + ceil(w) + round(w)", lambda e: math.floor(e.w) + math.ceil(e.w) + round(e.w)),
    ("floor(id)", lambda e: e.id),
    ("sqrt(met) + exp(w) + log1p(met)", lambda e: math.sqrt(e.met) + math.exp(e.w) + math.log1p(e.met)),
    ("log(met + 1) + log10(met + 1)", lambda e: math.log(e.met + 1) + math.log10(e.met + 1)),
    ("sin(w) * cos(w) + tan(w)", lambda e: math.sin(e.w) * math.cos(e.w) + math.tan(e.w)),
    ("arcsin(w / 2) + arccos(w / 2) + arctan(w)", lambda e: math.asin(e.w / 2) + math.acos(e.w / 2) + math.atan(e.w)),
    ("arctan2(w, met) + sinh(w) + cosh(w)", lambda e: math.atan2(e.w, e.met) + math.sinh(e.w) + math.cosh(e.w)),
    ("tanh(w) + arcsinh(w)", lambda e: math.tanh(e.w) + math.asinh(e.w)),
    ("delta_phi(met, w)", lambda e: near(e.met, e.w)),
    ("delta_r(eta, pt, 0, w)", lambda e: [math.hypot(eta, near(pt, e.w)) for eta, pt in zip(e.eta, e.pt, strict=True)]),
    ("isfinite(1 / met) or isfinite(log(w))", lambda e: e.met != 0 or e.w > 0),
    ("bit(u, 0) and not bit(id, 2)", lambda e: bool(e.u & 1) and not e.id & 4),
    ("bit_and(n, 3) == 1", lambda e: [n & 3 == 1 for n in e.n]),
    ("bit_or(shift_right(u, 60), 1)", lambda e: e.u >> 60 | 1),
    ("1 / met", lambda e: 1 / e.met if e.met else math.inf),
    ("id % (id - 7)", lambda e: e.id % (e.id - 7) if e.id != 7 else math.nan),
]


@pytest.mark.parametrize(("text", "reference"), TABLE, ids=[text for text, _ in TABLE])
def test_values_are_those_of_a_loop_over_events(text: str, reference: Callable[[SimpleNamespace], Any]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        got = evaluate(text)
    assert len(got) == len(EVENTS)
    if not isinstance(got, ak.Array):
        assert isinstance(got, np.ndarray)
        assert got.dtype in (np.bool_, np.int64, np.uint64, np.float64)
    for value, event in zip(got.tolist(), EVENTS, strict=True):
        expected = reference(SimpleNamespace(**event))
        assert flat(value) == pytest.approx(flat(expected), rel=1e-12, abs=1e-12, nan_ok=True)
        assert shape(value) == shape(expected)
        if isinstance(expected, int) and isinstance(value, int):
            assert value == expected


def flat(value: Any) -> list[float]:
    return [x for item in value for x in flat(item)] if isinstance(value, list) else [value]


def shape(value: Any) -> Any:
    return [shape(item) for item in value] if isinstance(value, list) else None


def test_every_function_is_in_the_table_and_on_the_page() -> None:
    called = {name for text, _ in TABLE for name in re.findall(r"(\w+)\(", text)}
    assert set(FUNCTIONS) <= called
    if not PAGE.is_file():
        pytest.skip("the documentation is not installed beside the tests")
    page = PAGE.read_text(encoding="utf-8")
    missing = [name for name in FUNCTIONS if f"`{name}(" not in page]
    assert not missing


def test_the_examples_of_the_page_are_expressions() -> None:
    if not PAGE.is_file():
        pytest.skip("the documentation is not installed beside the tests")
    _, *blocks = re.findall(
        r"```text\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL
    )  # the first is an error
    examples = [line.partition("   #")[0] for block in blocks for line in block.splitlines() if line]
    assert len(examples) > 8
    for example in examples:
        assert parse(example).names
    (program,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)
    exec(program, {})


def test_the_error_of_the_page_is_the_one_that_comes() -> None:
    if not PAGE.is_file():
        pytest.skip("the documentation is not installed beside the tests")
    shown, *_ = re.findall(r"```text\n(.*?)\n```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)
    error = parse("count(jet_ptt > 30) >= 2", where="select").unknown("jet_ptt", ["jet_pt", "mu_charge"])
    assert shown == str(error)


def test_a_chain_is_no_pair_of_comparisons() -> None:
    assert evaluate("(0 < w) < 1.5").tolist() == [True] * 4
    assert evaluate("0 < w < 1.5").tolist() == [True, False, True, False]


operators = st.sampled_from(["+", "-", "*", "/", "%", "<", "<=", ">", ">=", "==", "!="])
operands = st.sampled_from(["w", "-w", "met", "2", "-3", "0.5", "w ** 2", "-met ** 2", "(w - met)", "-(w + 2)"])


@settings(max_examples=100)
@given(operands, st.lists(st.tuples(operators, operands), max_size=7), st.sampled_from(["", "not "]))
def test_scalars_are_computed_as_python_would(first: str, rest: list[tuple[str, str]], negation: str) -> None:
    text = " ".join([first, *(f"{sign} {operand}" for sign, operand in rest)])
    if any(sign in ("<", "<=", ">", ">=", "==", "!=") for sign, _ in rest):
        text = negation + text
    got = evaluate(text)
    with np.errstate(all="ignore"):
        wanted = [eval(text, {"w": np.float64(event["w"]), "met": np.float64(event["met"])}) for event in EVENTS]
    np.testing.assert_array_equal(got, wanted)


@pytest.mark.parametrize(
    ("text", "column", "reason"),
    [
        ("met > 1 and mett > 2", 13, "unknown branch `mett`; did you mean met"),
        ("ok and met", 4, "`and` needs true or false, and `met` holds numbers"),
        ("id & 4", 4, "`and` needs true or false"),
        ("!id", 1, "`not` needs"),
        ("not w + 1", 1, "`not` needs true or false, and `w + 1`"),
        ("pt + n[n > 0]", 4, "lists of different lengths, 0 for `n[n > 0]` and 1 for `pt`, in entry 2"),
        ("met + vv * pt", 10, "in entry 0"),
        ("pt[0] > 3", 3, "`pt` has only 0 values in entry 1"),
        ("pt[-2]", 3, "`pt` has only 0 values in entry 1"),
        ("vv[0]", 3, "`vv` has only 0 values in entry 0"),
        ("first(pt)", 1, "only 0 values in entry 1"),
        ("met[0]", 4, "needs a list per entry"),
        ("pt[0.5]", 3, "is whole"),
        ("pt[id]", 3, "plain number, not `id`"),
        ("pt[ok]", 3, "for each value of `pt`"),
        ("sum(met)", 1, "sum needs a list per entry, and `met` has one value"),
        ("sum(1)", 1, "needs a list"),
        ("min(met, w)", 1, "minimum(a, b)"),
        ("max(pt, met)", 1, "maximum(a, b)"),
        ("any(pt)", 1, "any needs true or false"),
        ("flatten(pt)", 1, "lists of lists"),
        ("flatten(met)", 1, "a list"),
        ("where(met, 1, 2)", 1, "needs true or false"),
        ("where(ok, kind, 2)", 1, "`kind` is text"),
        ("kind", 1, "the result is text"),
        ("'a'", 1, "the result is text"),
        ("kind < 'GT'", 6, "text can only be compared"),
        ("kind + 1", 6, "is text"),
        ("kind == 1", 6, "`kind` is text and `1` is not"),
        ("met == 'GT'", 5, "can't be compared with text"),
        ("kind == kind", 6, "text can only be"),
        ("'a' == 'b'", 5, "text can only be"),
        ("kind in (1, 2)", 6, "is text"),
        ("met in ('a')", 5, "can't be compared"),
        ("ok in (1)", 4, "needs numbers"),
        ("-kind", 1, "is text"),
        ("sum(kind)", 1, "is text"),
        ("'GT'[0]", 5, "needs a list"),
        ("count('a')", 1, "needs a list"),
        ("u + 1 > 0", 3, "beyond 64 bits results"),
        ("id * 9007199254740993", 4, "in entry 0"),
        ("u - id", 3, "do not go together"),
        ("item(pt, 'a', 0)", 1, "plain number"),
        ("item(pt, 0, pt)", 1, "plain number"),
        ("first(pt, 'a')", 1, "plain number"),
        ("record > 1", 1, "branch record has the type"),
        ("missing > 1", 1, "missing values"),
        ("short > 1", 1, "has 2 entries and not 4"),
        ("dates > 1", 1, "neither numbers nor text"),
    ],
)
def test_what_does_not_fit_is_refused_by_column(text: str, column: int, reason: str, points_at: Any) -> None:
    odd = {
        "record": ak.Array([{"x": 1}] * 4),
        "missing": ak.Array([1, None, 2, 3]),
        "short": np.arange(2),
        "dates": np.zeros(4, dtype="M8[s]"),
    }
    points_at(refused(text, {**VALUES, **odd}), text, column, reason)


def test_entries_in_messages_count_from_the_start_given() -> None:
    with pytest.raises(InputError, match="in entry 1001"):
        parse("pt[0]").evaluate(VALUES, 4, start=1000)


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int16, np.uint16, np.int32, np.uint32, np.int64, np.uint64])
def test_integers_neither_wrap_nor_round(dtype: Any) -> None:
    limits = np.iinfo(dtype)
    values = {"x": np.array([limits.min, limits.max], dtype=dtype), "y": np.array([0, 1], dtype=dtype)}
    wanted = {
        f"x == {limits.max}": [False, True],
        f"x < {limits.max}": [True, False],
        "y - 1": [-1, 0],
        "x - x + y": [0, 1],
    }
    for text, result in wanted.items():
        assert evaluate(text, values, 2).tolist() == result


def test_a_float_means_the_same_in_single_precision() -> None:
    values = {"x": np.array([0.1, 0.5], dtype=np.float32)}
    assert evaluate("x > 0.1", values, 2).tolist() == [True, True]  # as in C++: 0.1f is 0.10000000149
    assert evaluate("x + 16777216 - 16777216 == x", values, 2).tolist() == [True, True]


def test_layouts_of_every_kind_are_lists() -> None:
    jagged = [[1.0, 2.0], [], [3.0]]
    regular = np.arange(12, dtype=np.float32).reshape(3, 2, 2)
    arrays: list[tuple[Any, list[float]]] = [
        (ak.Array(jagged), [3.0, 0.0, 3.0]),
        (ak.Array([[9.0], *jagged])[1:], [3.0, 0.0, 3.0]),
        (ak.Array(jagged)[[2, 0, 1]], [3.0, 3.0, 0.0]),
        (regular[:, 0], [1.0, 9.0, 17.0]),
        (ak.from_numpy(regular, regulararray=True)[:, 1], [5.0, 13.0, 21.0]),
        (
            ak.Array(
                ak.contents.ListArray(
                    ak.index.Index64([2, 0, 0]), ak.index.Index64([3, 0, 2]), ak.contents.NumpyArray([1, 2, 7])
                )
            ),
            [7, 0, 3],
        ),
        (ak.mask(ak.Array(jagged), [True, True, True]), [3.0, 0.0, 3.0]),
        (ak.Array([[], [], []]), [0.0, 0.0, 0.0]),
    ]
    for array, wanted in arrays:
        assert evaluate("sum(x)", {"x": array}, 3).tolist() == wanted
    assert evaluate("sum(sum(x))", {"x": regular}, 3).tolist() == [6.0, 22.0, 38.0]
    assert evaluate("x == 'b'", {"x": ak.Array([["a", "b"], [], ["b"]])}, 3).tolist() == [[False, True], [], [True]]
    assert evaluate("x == 'b'", {"x": np.array(["a", "b", ""])}, 3).tolist() == [False, True, False]
    assert evaluate("x == 'b'", {"x": np.array([b"a", b"b", b""])}, 3).tolist() == [False, True, False]


def test_no_entry_is_no_trouble() -> None:
    values = {key: value[:0] for key, value in VALUES.items()}
    for text, _ in TABLE:
        assert len(evaluate(text, values, 0)) == 0


def test_entries_are_computed_one_as_all() -> None:
    for text, _ in TABLE:
        together = evaluate(text).tolist()
        for i in range(len(EVENTS)):
            (alone,) = evaluate(text, {key: value[i : i + 1] for key, value in VALUES.items()}, 1).tolist()
            assert flat(alone) == pytest.approx(flat(together[i]), nan_ok=True, rel=1e-15)


def test_nothing_is_padded() -> None:
    one = ak.unflatten(np.ones(1_000_000), np.array([1_000_000] + [0] * 100_000))
    assert parse("sum(x * 2) > 3 and count(x) > 0").evaluate({"x": one}, 100_001).sum() == 1


WORDS = [
    "pt",
    "eta",
    "tag",
    "n",
    "w",
    "met",
    "id",
    "ok",
    "vv",
    "kind",
    "u",
    "x",
    "0",
    "1",
    "2.5",
    "1e-4",
    ".5",
    "18446744073709551615",
    "true",
    "+",
    "-",
    "*",
    "/",
    "%",
    "**",
    "<",
    "<=",
    ">",
    ">=",
    "==",
    "!=",
    "and",
    "or",
    "not",
    "!",
    "&&",
    "&",
    "||",
    "|",
    "in",
    "(",
    ")",
    "[",
    "]",
    ",",
    "'GT'",
    '"a"',
    "`pt`",
    "`",
    " ",
    ".",
    ":",
    "=",
    "lambda",
    "for",
    "\0",
    "\n",
    "é",
    "__class__",
    *(f"{name}(" for name in FUNCTIONS),
]
grown = st.recursive(
    st.sampled_from(
        [
            "pt",
            "eta",
            "tag",
            "n",
            "w",
            "met",
            "id",
            "ok",
            "vv",
            "u",
            "0",
            "2",
            "-1.5",
            "kind == 'GT'",
            "tag",
            "pt > 30",
            "w < 1",
        ]
    ),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["+", "-", "*", "/", "%", "<", "==", "and", "or"]), inner).map(
            lambda parts: f"({' '.join(parts)})"
        ),
        st.tuples(st.sampled_from(["-", "!", "not ", *(f"{name}(" for name in FUNCTIONS)]), inner).map(
            lambda parts: "".join(parts) + (")" if "(" in parts[0] else "")
        ),
        st.tuples(inner, inner).map(lambda parts: f"maximum({', '.join(parts)})"),
        st.tuples(inner, inner).map("{0[0]}[{0[1]}]".format),
        inner.map("({} ** -2)".format),
        inner.map("({} in (0, 7))".format),
    ),
    max_leaves=6,
)
texts = st.one_of(
    grown,
    grown,
    st.lists(st.sampled_from(WORDS), max_size=14).map(" ".join),
    st.lists(st.sampled_from(WORDS), max_size=14).map("".join),
    st.text(max_size=30),
    st.tuples(
        st.sampled_from([text for text, _ in TABLE]),
        st.integers(0, 40),
        st.integers(0, 3),
        st.sampled_from([*WORDS, ""]),
    ).map(lambda parts: parts[0][: parts[1]] + parts[3] + parts[0][parts[1] + parts[2] :]),
    st.tuples(
        st.sampled_from("([-!+~") | st.sampled_from(["not ", "abs(", "1+(", "x[", "1 or 1 & 1<1+1*("]),
        st.integers(1, 1_500),
    ).map(lambda parts: (parts[0] * parts[1])[:1_900] + "1"),
)


@settings(max_examples=1_000)
@given(texts)
def test_any_text_is_a_result_or_an_input_error(text: str) -> None:
    result_or_refusal(text)


@pytest.mark.parametrize(
    "code",
    [
        "__import__('os').system('touch {0}')",
        "open('{0}', 'w')",
        "(lambda: open('{0}', 'w'))()",
        "().__class__.__bases__[0].__subclasses__()",
        "[open('{0}', 'w') for x in (1,)]",
        'f\'{{open("{0}", "w")}}\'',
        'exec(\'open("{0}", "w")\')',
        "eval('1')",
        "w.__class__.__init__.__globals__",
        "9**9**9**9",
        "(9**9)**9 * 1e300 * 1e300",
        "getattr(w, 'tofile')('{0}')",
        "w.tofile('{0}')",
        "ak.to_parquet(pt, '{0}')",
        "np.save('{0}', w)",
        "`__import__('os')`",
        "builtins.open",
        "print('x')",
        "x := 1",
        "w; open('{0}', 'w')",
        "*w",
        "**w",
        "yield",
        "await w",
        "b'x'",
        "...",
        "None",
        "w\\\n+1",
        "met > 1 #",
        "met > 1 // {0}",
        "$(touch {0})",
        "`touch {0}`",
        "%(x)s",
        "{{w}}",
        "\x00",
        "\ufeffw",
        "w\u00a0+1",
        "\u0661",
        "ⅷ",
        "\u202ew",
        "x" * 5_000,
    ],
)
def test_code_is_not_run(code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(*_: object) -> None:
        raise AssertionError("text was run as code")

    sentinel = tmp_path / "sentinel"
    for name in ("eval", "exec"):
        monkeypatch.setattr(builtins, name, run)
    result_or_refusal(code.format(sentinel) if "{" in code else code)
    assert not sentinel.exists()
    assert not list(tmp_path.iterdir())


def result_or_refusal(text: str) -> None:
    try:
        expression = parse(text)
        result = expression.evaluate(VALUES, len(EVENTS))
    except InputError as error:
        assert re.search(r"\(column \d+\):\n", str(error))
        str(error).encode()
    else:
        assert len(result) == len(EVENTS)
        assert isinstance(result, np.ndarray | ak.Array)
        assert set(expression.names) <= set(VALUES)


def test_a_string_branch_of_a_real_file(real_data: Path) -> None:
    import uproot

    tree = uproot.open(real_data / "flat" / "uproot-Zmumu.root")["events"]
    arrays = tree.arrays(["Type", "pt1", "pt2", "eta1", "eta2", "phi1", "phi2", "M"])
    values = {name: arrays[name] for name in arrays.fields}
    kinds = arrays["Type"].tolist()
    assert evaluate("Type == 'GT'", values, len(kinds)).tolist() == [kind == "GT" for kind in kinds]
    mass = evaluate("sqrt(2 * pt1 * pt2 * (cosh(eta1 - eta2) - cos(delta_phi(phi1, phi2))))", values, len(kinds))
    assert np.median(np.abs(mass / arrays["M"].to_numpy() - 1)) < 1e-3


def test_a_quotient_of_large_whole_numbers_is_exact_or_refused() -> None:
    words = [2**60 + 4, 2**60, 2**63 + 5, 7]
    values = {"x": np.array(words, dtype=np.uint64)}
    assert parse("floor(x / 4) % 2 == 1").evaluate(values, 4).tolist() == [bool(word & 4) for word in words]
    for text in ("x / 4 % 2 >= 1", "round(x / 4)", "x / 4", "1 / x", "x / 0", "sqrt(x / 4)"):
        with pytest.raises(InputError, match=r"beyond 2\^53 cannot be divided exactly"):
            parse(text).evaluate(values, 4)
    small = {"x": np.array([2**53, 3])}
    assert parse("x / 4").evaluate(small, 2).tolist() == [2.0**51, 0.75]
    assert parse("1.0 * x / 4").evaluate(values, 4).tolist() == [word / 4 for word in words]


def test_conditions_that_and_joins() -> None:
    parts = parse("a > 1 and (b or c) and (d < 2 and not e) & f == 3").conjuncts()
    assert [part.names for part in parts] == [("a",), ("b", "c"), ("d",), ("e",), ("f",)]
    assert [part.names for part in parse("a > 1 or b").conjuncts()] == [("a", "b")]
    assert parse("abs(a) > 1 and b").elementwise
    assert not parse("a > max(a)").elementwise and not parse("a[0] > 1").elementwise
