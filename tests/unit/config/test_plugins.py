"""Plug-ins by name, in the package and in folders added to a family."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from root_gnn.config.plugins import Allowed, Family, config_class, family_files, named, names, plugin_name
from root_gnn.errors import InputError

AddPlugin = Callable[[str, str, str], None]
TINY = """
from root_gnn.config.section import Section

class Config(Section):
    width: int = 1
"""


def test_names_are_those_of_files_with_a_config() -> None:
    assert "deep_sets" in names("models") and "root" in names("data.sources")
    for family in ("models", "heads", "data.sources"):
        for name in names(family):
            assert config_class(family, name, Allowed()).__module__ == f"root_gnn.{family}.{name}"


def test_a_folder_on_the_path_of_the_family_adds_its_files(add_plugin: AddPlugin, tmp_path: Path) -> None:
    add_plugin("heads", "tiny_head", TINY)
    add_plugin("heads", "helper", "x = 1\n")
    assert "tiny_head" in names("heads") and "helper" not in names("heads")
    assert any(file.is_relative_to(tmp_path) for file in family_files("heads"))
    config = config_class("heads", {"name": "tiny_head", "width": 3}, Allowed())
    assert plugin_name(config(), "heads") == "tiny_head"
    assert Family("heads").dump(config.model_validate({"width": 3})) == {"name": "tiny_head", "width": 3}


def test_an_added_plugin_is_gone_after_its_test() -> None:
    assert "tiny_head" not in names("heads")


def test_dotted_names_need_permission() -> None:
    with pytest.raises(InputError, match=r"--allow-plugin os\.path"):
        config_class("models", "os.path", Allowed())
    with pytest.raises(InputError, match="must define a class Config"):
        config_class("models", "os.path", Allowed(modules=("os.path",)))
    assert named("math.sqrt", Allowed(everything=True))(4) == 2
    with pytest.raises(InputError, match="has no 'sqr'; did you mean sqrt"):
        named("math.sqr", Allowed(everything=True))


def test_unknown_names_are_refused() -> None:
    with pytest.raises(InputError, match=r"there is no 'deep_set' in root_gnn\.models.*deep_sets"):
        config_class("models", "deep_set", Allowed())
    with pytest.raises(InputError, match="a plug-in was expected"):
        config_class("models", 3, Allowed())
