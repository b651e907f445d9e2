"""Configurations of plug-ins with their defaults."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from root_gnn.config.plugins import Allowed, config_class


@pytest.fixture
def default_config() -> Callable[[str, str], Any]:
    """`default_config(family, name)`: the configuration with defaults, and the simplest head where it needs one."""

    def build(family: str, name: str) -> Any:
        section = config_class(family, name, Allowed())
        return section.model_validate({"head": "linear"} if "head" in section.model_fields else {})

    return build
