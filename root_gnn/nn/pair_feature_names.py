"""The YAML key `pair_features`: names from the table of `kinematics.pairs`, checked when a recipe is read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

from root_gnn.kinematics.pairs import KNOWN, pair_feature


@dataclass(frozen=True)
class PairFeatureName:
    """Marks a string as the name of a pair feature; with `symmetric` as one that ignores the order of the two."""

    symmetric: bool = False

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """The string, checked against the table as it is when a recipe is read."""
        return core_schema.no_info_after_validator_function(self.check, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """The names an editor may complete."""
        return {"type": "string", "enum": [name for name in KNOWN if self._fits(name)]}

    def check(self, name: str) -> str:
        """The name itself; raises ValueError where it is unknown, or depends on the order of the objects."""
        pair_feature(name)
        if not self._fits(name):
            symmetric = ", ".join(known for known in KNOWN if self._fits(known))
            raise ValueError(f"{name} depends on the order of the two objects; without an order are: {symmetric}")
        return name

    def _fits(self, name: str) -> bool:
        return KNOWN[name].symmetric or not self.symmetric


PairFeatureNames = Annotated[tuple[Annotated[str, PairFeatureName()], ...], Field(min_length=1)]
SymmetricPairFeatureNames = Annotated[tuple[Annotated[str, PairFeatureName(symmetric=True)], ...], Field(min_length=1)]
