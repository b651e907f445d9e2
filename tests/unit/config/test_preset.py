"""Published settings below explicit keys."""

from __future__ import annotations

from root_gnn.config.preset import with_preset

PAPER = {"a": 1, "section": {"x": 1, "y": 2}, "name": "paper"}


def test_explicit_keys_override_the_preset() -> None:
    merged = with_preset(PAPER, {"preset": "paper", "a": 2, "section": {"y": 3}})
    assert merged == {"a": 2, "section": {"x": 1, "y": 3}, "name": "paper", "preset": "paper"}


def test_other_sections_are_unchanged() -> None:
    for section in ({"a": 2}, {"preset": None, "a": 2}, "word", None):
        assert with_preset(PAPER, section) is section
