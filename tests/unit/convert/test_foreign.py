"""YAML of other programs."""

from __future__ import annotations

from pathlib import Path

import pytest

from root_gnn.convert.foreign import mapping, read_foreign, text_list
from root_gnn.errors import InputError


def test_anchors_and_merges_are_followed(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("base: &b {x: 1}\n2: {<<: *b, y: 2}\n")
    assert read_foreign(tmp_path / "a.yaml") == {"base": {"x": 1}, "2": {"x": 1, "y": 2}}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: !!python/object/apply:os.system [ls]", "not valid YAML"),
        ("a: &a [*a]", "an alias stands inside"),
        ("- 1", "a mapping of keys to values was expected"),
        (
            "\n".join([f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10) if i else '1'}]" for i in range(8)]),
            "more than 100,000",
        ),
    ],
)
def test_code_loops_and_bombs_are_refused(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "a.yaml").write_text(text)
    with pytest.raises(InputError, match=message):
        read_foreign(tmp_path / "a.yaml")


def test_values_of_any_type_become_mappings_and_lists() -> None:
    assert mapping({1: 2}) == {"1": 2} and mapping([1]) == {}
    assert [text_list(value) for value in (None, "a", ["a", 1])] == [[], ["a"], ["a", "1"]]
