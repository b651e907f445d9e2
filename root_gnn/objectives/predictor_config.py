"""The size of the small transformer that answers for hidden nodes."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from root_gnn.config.section import Section

Count = Annotated[int, Field(ge=1)]


class PredictorConfig(Section):
    """The predictor's size: narrower than the encoder, or it would do the encoder's work.

    `n_scale`: frequencies in which it is told angles.
    """

    width: Count = 64
    depth: Count = 2
    n_head: Count = 4
    n_scale: Count = 6

    @model_validator(mode="after")
    def _divides(self) -> Self:
        if self.width % self.n_head:
            raise ValueError(f"width {self.width} is not a multiple of n_head {self.n_head}")
        return self
