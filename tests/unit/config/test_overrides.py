"""Overrides of a parsed document."""

from __future__ import annotations

import pytest

from root_gnn.config.overrides import apply_override
from root_gnn.config.yaml import Document, parse_document
from root_gnn.errors import InputError


@pytest.fixture
def document() -> Document:
    return parse_document("optim:\n  lr: 1\nsteps:\n  - {n: 1}\nmodel: deep_sets\n", "f.yaml")


def test_values_are_replaced_and_located_at_the_override(document: Document) -> None:
    apply_override(document, "optim.lr=1e-4")
    apply_override(document, "steps.0.n = [2, x]")
    assert document.value["optim"] == {"lr": 1e-4} and document.value["steps"] == [{"n": [2, "x"]}]
    assert document.location(("optim", "lr")) == "--set optim.lr=1e-4"
    assert document.location(("optim",)) == "f.yaml:1"


def test_absent_keys_are_made_and_plugin_names_become_mappings(document: Document) -> None:
    apply_override(document, "a.b.c=null")
    apply_override(document, "model.width=8")
    assert document.value["a"] == {"b": {"c": None}}
    assert document.value["model"] == {"name": "deep_sets", "width": 8}


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("optim.lr", "expected dotted.key=value"),
        (".lr=1", "expected dotted.key=value"),
        ("optim.lr.x=1", "optim.lr is 1, which has no keys"),
        ("steps.1.n=1", "steps is a list of 1; give an index from 0 to 0"),
    ],
)
def test_paths_that_cannot_exist_are_refused(document: Document, override: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        apply_override(document, override)
