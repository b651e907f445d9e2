"""The base class of typed sections of YAML files."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, GetCoreSchemaHandler
from pydantic_core import CoreSchema

SCALARS = ("int", "float", "bool", "str")
NOT_SCHEMAS = ("default", "metadata", "config", "serialization")


def _make_scalars_strict(schema: Any) -> None:
    if isinstance(schema, dict):
        if schema.get("type") in SCALARS:
            schema["strict"] = True
        for key, part in schema.items():
            if key not in NOT_SCHEMAS:
                _make_scalars_strict(part)
    elif isinstance(schema, list | tuple):
        for part in schema:
            _make_scalars_strict(part)


class Section(BaseModel):
    """A frozen group of keys: unknown keys are refused, defaults are checked, scalars are never converted.

    Numbers are finite. No string becomes a number, no bool an int and no `1.0` a `1`; an int may stand for a float, a
    list for a tuple and a string for a `Path` or an enumeration, since YAML has no other way to write them. Checks of
    your own raise `ValueError` in a validator; the loader adds file, line and key.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", validate_default=True, allow_inf_nan=False, protected_namespaces=()
    )

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Pydantic's own schema with its scalars made strict."""
        schema = handler(source)
        _make_scalars_strict(handler.resolve_ref_schema(schema))
        return schema


Words = Annotated[tuple[str, ...], BeforeValidator(lambda value: (value,) if isinstance(value, str) else value)]
"""A list of words; one bare word stands for a list of one."""
