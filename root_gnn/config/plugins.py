"""Plug-ins by name: the only dynamic import of the package.

A plug-in is a file of a family, and its name in YAML is the file name. A value `{name: x, **keys}`, or the bare word
`x`, becomes the `Config` of the module `root_gnn.<family>.<x>`. A dotted name is a module of the user's own, which runs
when it is imported, so the caller has to allow it.
"""

from __future__ import annotations

import importlib
import importlib.util
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler, ValidationInfo
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from root_gnn.config.section import Section
from root_gnn.errors import InputError, suggest

PACKAGE = __name__.partition(".")[0]
DEFINES_CONFIG = re.compile(r"^class Config\b", re.MULTILINE)


@dataclass(frozen=True)
class Allowed:
    """The modules of the user's own that may be imported by a dotted name.

    Attributes:
        everything: whether all of them may.
        modules: the names of those that may in any case.
    """

    everything: bool = False
    modules: Collection[str] = ()


def family_files(family: str) -> list[Path]:
    """The Python files of a family (`models`, `data.sources`), sorted by name, none of them imported.

    Every folder on the `__path__` of the family's package counts, so a folder added there adds its files to the family.
    """
    folders = importlib.import_module(f"{PACKAGE}.{family}").__path__
    return sorted((file for folder in folders for file in Path(folder).glob("[a-z]*.py")), key=lambda file: file.stem)


def names(family: str) -> list[str]:
    """The plug-ins of a family: the names of its files that define a class `Config`, none of them imported."""
    return [file.stem for file in family_files(family) if DEFINES_CONFIG.search(file.read_text(encoding="utf-8"))]


def config_class(family: str, value: Any, allowed: Allowed) -> type[Section]:
    """The `Config` class of the plug-in that the YAML value `{name: x, ...}` or `x` names.

    Raises `InputError` if there is no name, no such plug-in, or a module of the user's own is not allowed.
    """
    name = value.get("name") if isinstance(value, Mapping) else value
    if not isinstance(name, str):
        raise InputError(f"a plug-in was expected, as `x` or `{{name: x, ...}}`; known are: {', '.join(names(family))}")
    if "." in name:
        return _config_of(_import_dotted(name, allowed))
    known = names(family)
    if name not in known:
        raise InputError(f"there is no {name!r} in {PACKAGE}.{family}{suggest(name, known)}")
    return _config_of(importlib.import_module(f"{PACKAGE}.{family}.{name}"))


def named(name: str, allowed: Allowed, *, trusted: str = "") -> Any:
    """The class or function with the dotted name `package.module.attribute`.

    Its module is imported, so the caller has to allow it, except inside the package `trusted`. Raises `InputError` if
    it is not allowed or does not exist.
    """
    module, _, attribute = name.rpartition(".")
    inside = bool(trusted) and module.partition(".")[0] == trusted
    imported = _import_dotted(
        module or name, Allowed(everything=True) if inside or name in allowed.modules else allowed
    )
    if not hasattr(imported, attribute):
        public = [known for known in vars(imported) if not known.startswith("_")]
        raise InputError(f"the module {module} has no {attribute!r}{suggest(attribute, public)}")
    return getattr(imported, attribute)


def plugin_name(config: Section, family: str) -> str:
    """The YAML name of a plug-in's configuration: its file name, or the dotted name of the user's own module."""
    return type(config).__module__.removeprefix(f"{PACKAGE}.{family}.")


def _import_dotted(name: str, allowed: Allowed) -> ModuleType:
    if not all(part.isidentifier() for part in name.split(".")):
        raise InputError(f"{name!r} is not the dotted name of a Python module")
    if not (allowed.everything or name in allowed.modules):
        raise InputError(
            f"the plug-in {name} is a module of its own, and loading a run folder does not execute code; if you trust "
            f"it, allow it with --allow-plugin {name}"
        )
    try:
        if importlib.util.find_spec(name) is None:
            raise ModuleNotFoundError(name=name)
    except ModuleNotFoundError as error:
        raise InputError(f"there is no module {error.name!r}; install it, or put its folder on PYTHONPATH") from error
    return importlib.import_module(name)


def _config_of(module: ModuleType) -> type[Section]:
    config = getattr(module, "Config", None)
    if not (isinstance(config, type) and issubclass(config, Section) and config.__module__ == module.__name__):
        raise InputError(f"the module {module.__name__} must define a class Config(root_gnn.config.section.Section)")
    return config


@dataclass(frozen=True)
class Family:
    """Marks a field as a plug-in: `model: Annotated[Section, Family("models")]`, also in tuple, dict and `| None`."""

    name: str

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """A validator that turns a name and its keys into the plug-in's own `Config`."""

        def validate(value: Any, info: ValidationInfo) -> Section:
            config = self.validate(value, info)
            if isinstance(source, type) and not isinstance(config, source):
                raise PydanticCustomError(
                    "plugin",
                    "a {wanted} was expected, not {got}",
                    {"wanted": source.__name__, "got": f"{type(config).__module__}.Config"},
                )
            return config

        return core_schema.with_info_plain_validator_function(
            validate, serialization=core_schema.plain_serializer_function_ser_schema(self.dump)
        )

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """The schema for editors: the names of the family, bare or as the key `name`."""
        known = {"anyOf": [{"enum": names(self.name)}, {"type": "string", "pattern": r"\."}]}
        return {"anyOf": [known, {"type": "object", "properties": {"name": known}, "required": ["name"]}]}

    def validate(self, value: Any, info: ValidationInfo) -> Section:
        """The plug-in's `Config` from an instance, a bare name or a mapping with `name`."""
        if isinstance(value, Section):
            return value
        allowed = info.context if isinstance(info.context, Allowed) else Allowed()
        try:
            config = config_class(self.name, value, allowed)
        except InputError as error:
            raise PydanticCustomError("plugin", "{reason}", {"reason": str(error)}) from error
        keys = {key: part for key, part in value.items() if key != "name"} if isinstance(value, Mapping) else {}
        return config.model_validate(keys, context=info.context)

    def dump(self, config: Section) -> dict[str, Any]:
        """The plug-in as `{name: ..., **keys}`, which `validate` restores."""
        return {"name": plugin_name(config, self.name), **config.model_dump(mode="json")}
