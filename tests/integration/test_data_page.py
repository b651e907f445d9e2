"""docs/data.md names every key there is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from root_gnn.data.events.config import DataConfig
from root_gnn.data.spec.collection import Collection
from root_gnn.data.spec.spec import Spec
from root_gnn.data.spec.value import Value

PAGE = Path(__file__).parents[2] / "docs" / "data.md"


@pytest.fixture(scope="module")
def text() -> str:
    if not PAGE.is_file():
        pytest.skip("the documentation is not installed beside the tests")
    return PAGE.read_text(encoding="utf-8")


def keys_of_tables(text: str) -> list[str]:
    return re.findall(r"^\| `(\w+)`", text, flags=re.MULTILINE)


def test_every_key_has_its_row(text: str) -> None:
    documented = keys_of_tables(text)
    for section in (Spec, Collection, Value, DataConfig):
        for key in section.model_fields:
            assert key in documented, f"{section.__name__}.{key}"
