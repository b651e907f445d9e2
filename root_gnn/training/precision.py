"""Training in float64, to compare trainings that round differently."""

from __future__ import annotations

from typing import Any

from lightning.pytorch.plugins.precision import DoublePrecision

from root_gnn.graph.batch import Batch


class Float64(DoublePrecision):
    """Float64 weights, batches and steps; unlike Lightning's own plug-in it converts batches.

    Files are unchanged.
    """

    def convert_input(self, data: Any) -> Any:
        """Returns the batch in float64."""
        return data.double() if isinstance(data, Batch) else super().convert_input(data)
