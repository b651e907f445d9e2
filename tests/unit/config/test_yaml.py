"""The YAML subset: scalars of YAML 1.2, places of keys, and everything that is refused."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from root_gnn.config.yaml import dump_yaml, parse_document, parse_scalar, parse_value, read_document
from root_gnn.errors import InputError


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-4", 1e-4),
        ("1E5", 1e5),
        (".5", 0.5),
        ("5.", 5.0),
        ("-3", -3),
        ("+7", 7),
        ("010", 10),
        ("0", 0),
        ("true", True),
        ("False", False),
        ("null", None),
        ("~", None),
        ("", None),
        (".inf", math.inf),
        ("-.inf", -math.inf),
        ("NO", "NO"),
        ("yes", "yes"),
        ("on", "on"),
        ("12:30", "12:30"),
        ("1_000", "1_000"),
        ("0x1F", "0x1F"),
        ("-", "-"),
        (".", "."),
        ("1e", "1e"),
        ("2026-11-22", "2026-11-22"),
        (".nan", ".nan"),
        ("=", "="),
        ("<<", "<<"),
    ],
)
def test_plain_scalars_follow_yaml_1_2(text: str, value: object) -> None:
    got = parse_scalar(text)
    assert got == value
    assert type(got) is type(value)


@pytest.mark.parametrize("text", ["1e999", "9" * 5000, "-1e400"])
def test_numbers_that_no_float_holds_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"larger|digits"):
        parse_scalar(text)


def test_quoted_text_stays_text() -> None:
    document = parse_document("a: '1e-4'\nb: \"true\"\nc: |\n  12\n", "f.yaml")
    assert document.value == {"a": "1e-4", "b": "true", "c": "12\n"}


def test_every_key_and_item_knows_its_line() -> None:
    text = "# comment\na: 1\nb:\n  c:\n    - x\n    - {d: 2,\n       e: 3}\n"
    document = parse_document(text, "f.yaml")
    assert document.locations == {
        ("a",): "f.yaml:2",
        ("b",): "f.yaml:3",
        ("b", "c"): "f.yaml:4",
        ("b", "c", 0): "f.yaml:5",
        ("b", "c", 1): "f.yaml:6",
        ("b", "c", 1, "d"): "f.yaml:6",
        ("b", "c", 1, "e"): "f.yaml:7",
    }
    assert document.location(("b", "absent")) == "f.yaml:3"
    assert document.location(("absent",)) == "f.yaml:1"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: 2\na: 3\n", "f.yaml:3: a: this key occurs twice, first at f.yaml:1"),
        ("x:\n  a: 1\n  a: 2\n", "f.yaml:3: x.a: this key occurs twice"),
        ("a: &anchor 1\n", "f.yaml:1: a: anchors"),
        ("a: 1\nb: *a\n", "f.yaml:2: b: anchors"),
        ("a: !!python/object/apply:os.getcwd []\n", "f.yaml:1: a: tags"),
        ("!thing\na: 1\n", "f.yaml:1: tags"),
        ("a: 1\n---\nb: 2\n", "f.yaml:2: a second document"),
        ("a:\n\t- b\n", "f.yaml:2: a tab"),
        ("- a\n- b\n", "f.yaml:1: a mapping of keys"),
        ("lr:1e-3\n", "f.yaml:1: a mapping of keys"),
        ("a: " + "[" * 40 + "]" * 40, "f.yaml:1: nested deeper than 32"),
        ("a: " + "[" * 40_000, "f.yaml:1: nested deeper than 32"),
        ("[a, b]: 1\n", "f.yaml:1: a key must be plain text"),
        ("a: 1\n'': 2\n", "f.yaml:2: a key must be plain text"),
        ("a: [1, 2\nb: 3\n", "f.yaml:2: not valid YAML"),
        ("a: 1e999\n", "f.yaml:1: a: 1e999 is larger"),
        ("a: \x00\n", "f.yaml:1: not valid YAML"),
        ('a: "\\UFFFFFFFF"\n', "f.yaml:1: not valid YAML"),
        ("a: " + "x" * 1_000_001, "too many for a configuration"),
    ],
)
def test_what_lies_outside_the_subset_is_refused_by_file_and_line(text: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_document(text, "f.yaml")
    assert message in str(caught.value)


def test_files_that_are_no_text_are_refused(tmp_path: Path) -> None:
    (tmp_path / "binary.yaml").write_bytes(b"root\xff\xfe\x00")
    for name, message in (("binary.yaml", "not UTF-8"), ("absent.yaml", "cannot be read"), (".", "cannot be read")):
        with pytest.raises(InputError, match=message):
            read_document(tmp_path / name)


def test_a_byte_order_mark_is_no_part_of_the_first_key(tmp_path: Path) -> None:
    (tmp_path / "bom.yaml").write_bytes(b"\xef\xbb\xbfa: 1\n")
    assert read_document(tmp_path / "bom.yaml").value == {"a": 1}


plain = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**18), 10**18),
    st.floats(allow_nan=False),
    st.text(max_size=20),
    st.sampled_from(
        ["no", "1e-4", "12:30", "010", " x ", "a: b", "- a", "#", "", "a\n\nb ", "'", "é", "!x", "&a", "*b", "\t"]
    ),
)
keys = st.text(min_size=1, max_size=8).filter(str.strip)
values = st.recursive(
    plain, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3), max_leaves=8
)


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(keys, values, max_size=4))
def test_what_is_written_is_read_back(mapping: dict[str, object]) -> None:
    assert parse_document(dump_yaml(mapping), "f.yaml").value == mapping


fragments = st.sampled_from(
    [
        "a",
        "b:",
        ": ",
        "\n",
        "  ",
        "- ",
        "[",
        "]",
        "{",
        "}",
        ",",
        "!!python/name:os.system",
        "&x",
        "*x",
        "'",
        '"',
        "|",
        ">",
        "#",
        "?",
        "%YAML 9",
        "---",
        "...",
        "1e-4",
        "\\U99999999",
        "\t",
        "\x07",
        "<<: ",
    ]
)


@settings(max_examples=200, deadline=None)
@given(st.lists(fragments, max_size=12).map("".join) | st.text(max_size=30))
def test_any_text_is_a_mapping_or_an_input_error(text: str) -> None:
    try:
        value = parse_document(text, "f.yaml").value
    except InputError as error:
        assert str(error).startswith("f.yaml:")
    else:
        assert isinstance(value, dict)


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=20))
def test_any_single_value_is_plain_or_an_input_error(text: str) -> None:
    try:
        value = parse_value(text, "--set a=...")
    except InputError as error:
        assert "--set a=..." in str(error)
    else:
        assert value is None or isinstance(value, bool | int | float | str | list | dict)
