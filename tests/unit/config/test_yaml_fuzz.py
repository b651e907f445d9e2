"""The YAML reader and loader under random damage: a mapping of plain values, or an `InputError` with a location."""

from __future__ import annotations

import math
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from root_gnn.config.loader import load, validate
from root_gnn.config.overrides import apply_override
from root_gnn.config.section import Section
from root_gnn.config.shipped import shipped_folder
from root_gnn.config.yaml import MAX_DEPTH, Document, parse_document, parse_value
from root_gnn.data.spec.spec import Spec
from root_gnn.errors import InputError

SPECS = [file.read_text(encoding="utf-8") for file in sorted(shipped_folder("spec").rglob("*.yaml"))]
DAMAGE = [
    "",
    "\t",
    "\n",
    "  ",
    ":",
    ": ",
    "- ",
    "? ",
    "[",
    "]",
    "{",
    "}",
    ",",
    "#",
    "|",
    ">",
    "'",
    '"',
    "!",
    "&a ",
    "*a",
    "<<: *a",
    "%YAML 1.2\n",
    "---\n",
    "...\n",
    "!!python/object/apply:os.system ['true']",
    "!!python/name:os.system",
    "!!python/module:os",
    "!!binary aGk=",
    "!!set {a}",
    "!!float nan",
    "\0",
    "\x07",
    "\x85",
    "\ufeff",
    "\ud800",
    "\u2028",
    "é",
    "😀",
    "NO",
    "yes",
    "1e-4",
    "1e999",
    "0x10",
    "0o17",
    "1_0",
    "12:30",
    ".inf",
    ".nan",
    "~",
    "null",
    "9" * 200,
    "[" * 60,
    "{a: " * 60,
    "- " * 60,
    "name: x\nname: y\n",
    "nodes: {a: 1, a: 2}\n",
    "\\",
    '"\\U99999999"',
    '"\\x"',
    "@",
    "`",
    "a: b: c",
    "=",
    "1970-01-01",
]


class Inner(Section):
    """A section inside another."""

    size: int = 1
    names: tuple[str, ...] = ()


class Outer(Section):
    """Every kind of value a file may hold."""

    name: str = "x"
    rate: float = 0.1
    number: int | None = None
    flag: bool = False
    inner: Inner = Inner()
    table: dict[str, float | list[int]] = {}


def plain(value: Any, depth: int = 0) -> bool:
    """True for null, booleans, numbers, text, and lists and mappings of them with text as keys."""
    assert depth <= MAX_DEPTH + 1
    if isinstance(value, dict):
        return all(type(key) is str and plain(item, depth + 1) for key, item in value.items())
    if isinstance(value, list):
        return all(plain(item, depth + 1) for item in value)
    return value is None or type(value) in (bool, int, float, str)


def read(text: str) -> dict[str, Any] | None:
    """The mapping, None where the text is refused; anything else fails the test."""
    try:
        document = parse_document(text, "f.yaml")
    except InputError as error:
        assert re.match(r"f\.yaml:\d+: ", str(error))
        return None
    assert type(document.value) is dict
    assert plain(document.value)
    assert all(re.fullmatch(r"f\.yaml:\d+", place) for place in document.locations.values())
    return document.value


inserted = st.sampled_from(["", " ", "x", "1", "\n", ", ", "0"]) | st.sampled_from(DAMAGE) | st.text(max_size=4)
mutations = st.lists(st.tuples(st.floats(0, 1), st.sampled_from([0, 1, 2, 5, 20]), inserted), min_size=1, max_size=3)


def mutated(text: str, changes: list[tuple[float, int, str]]) -> str:
    for place, n_removed, inserted in changes:
        at = int(place * len(text))
        text = text[:at] + inserted + text[at + n_removed :]
    return text


@settings(max_examples=300)
@given(
    st.lists(st.sampled_from([*DAMAGE, "a", "b: ", "a: ", "\n", "\n  ", "1"]), max_size=12).map("".join)
    | st.text(max_size=60)
)
def test_random_text_is_a_mapping_or_refused(text: str) -> None:
    read(text)
    try:
        value = parse_value(text, "--set")
    except InputError as error:
        assert str(error).startswith("--set: ")
    else:
        assert plain(value)


@settings(max_examples=60)
@given(st.sampled_from([spec[:1_500] for spec in SPECS]), mutations)
def test_damaged_specs_are_a_mapping_or_refused(text: str, changes: list[tuple[float, int, str]]) -> None:
    read(mutated(text, changes))


@settings(max_examples=60)
@given(mutations)
def test_what_is_accepted_is_what_plain_yaml_means(changes: list[tuple[float, int, str]]) -> None:
    """Where our reader accepts a text, PyYAML's base loader finds the same keys and the same words."""
    text = mutated("name: a\ninner:\n  size: 3\n  names: [b, 'c d']\ntable: {x: 1e-4, y: NO}\nrate: 0.5\n", changes)
    value = read(text)
    if value:
        assert same(value, yaml.load(text, Loader=yaml.BaseLoader))


def same(ours: Any, words: Any) -> bool:
    if isinstance(ours, dict):
        return list(ours) == list(words) and all(same(ours[key], words[key]) for key in ours)
    if isinstance(ours, list):
        return len(ours) == len(words) and all(map(same, ours, words))
    if isinstance(ours, str) or ours is None:
        return ours == words if ours is not None else words in ("", "~", "null", "Null", "NULL")
    return (
        str(words).lower() in ("true", "false")
        if isinstance(ours, bool)
        else math.isclose(ours, float(str(words).replace(".inf", "inf")))
    )


@settings(max_examples=100)
@given(mutations)
def test_a_section_is_filled_or_the_file_refused(
    tmp_path_factory: pytest.TempPathFactory, changes: list[tuple[float, int, str]]
) -> None:
    text = mutated(
        "name: a\nrate: 1e-4\nnumber: 7\ninner:\n  size: 3\n  names: [b, c]\ntable: {x: 1.5, y: [1, 2]}\nflag: true\n",
        changes,
    )
    path = tmp_path_factory.getbasetemp() / "fuzz.yaml"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    try:
        section = load(Outer, path)
    except InputError as error:
        assert str(path) in str(error)
    else:
        assert isinstance(section.inner, Inner)
        assert type(section.rate) is float


@settings(max_examples=50)
@given(st.sampled_from([spec[:1_200] for spec in SPECS]), mutations)
def test_a_damaged_spec_is_a_spec_or_refused(text: str, changes: list[tuple[float, int, str]]) -> None:
    value = read(mutated(text, changes))
    try:
        spec = validate(Spec, value or {}, origin="spec")
    except InputError as error:
        assert str(error).startswith("spec: ")
    else:
        assert spec.nodes


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["size", "names", "a", "0", ""]), inner, max_size=3)
    ),
    max_leaves=5,
)


@settings(max_examples=100)
@given(st.dictionaries(st.sampled_from([*Outer.model_fields, "naem", ""]), values, max_size=5))
def test_any_values_fill_a_section_or_are_refused(mapping: dict[str, Any]) -> None:
    try:
        validate(Outer, mapping, origin="here")
    except InputError as error:
        assert str(error).startswith("here: ")


@settings(max_examples=100)
@given(
    st.text(max_size=12)
    | st.tuples(
        st.sampled_from(["name", "inner.size", "table.x", "inner.names.0", "..", "a.b.c"]), st.sampled_from(DAMAGE)
    ).map("=".join)
)
def test_any_override_is_done_or_refused(override: str) -> None:
    document = Document({"name": "a", "inner": {"size": 1, "names": ["b"]}, "table": {"x": 1}}, "f.yaml:1")
    try:
        apply_override(document, override)
    except InputError as error:
        assert "--set" in str(error)
    else:
        assert plain(document.value)


CODE = "!!python/object/apply:subprocess.call [[touch, {0}]]"


@pytest.mark.parametrize(
    "text",
    [
        f"a: {CODE}\n",
        f"{CODE}\n",
        f"{CODE}: 1\n",
        f"a: [1, {CODE}]\n",
        f"? {CODE}\n: 1\n",
        "a: !!python/object/new:os.system [touch {0}]\n",
        "a: !!python/name:os.system\n",
        "a: !<tag:yaml.org,2002:python/object/apply:os.system> ['touch {0}']\n",
        "%TAG ! tag:yaml.org,2002:python/\n---\na: !object/apply:os.system ['touch {0}']\n",
        "a: &x [*x]\n",
        "a: &x {{b: *x}}\n",
        "a: &a [1]\nb: [*a, *a]\n",
        "a: 1\na: 2\n",
        "a: {{b: 1, b: 2}}\n",
        "a:\t1\n",
        "a:\n\tb: 1\n",
        "a: 1\n--- {{}}\n",
        "<<: {{a: 1}}\nb: *c\n",
    ],
)
def test_nothing_is_constructed_and_nothing_refers(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(*_: object, **__: object) -> None:
        raise AssertionError("a command was run from YAML")

    monkeypatch.setattr(subprocess, "call", run)
    monkeypatch.setattr("os.system", run)
    assert read(text.format(tmp_path / "sentinel")) is None
    assert not list(tmp_path.iterdir())
