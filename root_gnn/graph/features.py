"""The names of a batch's columns: which number stands where."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

EVENT_NODE_FEATURES = ("pt", "eta", "phi", "energy", "btag", "charge", "type")
NODE_TYPES = ("jet", "electron", "muon", "photon", "met")
LOGARITHMIC = {"pt": "log", "energy": "log"}


@dataclass(frozen=True, kw_only=True)
class Features:
    """Column names of `Batch.nodes` and `Batch.globals`, and how many node types there are.

    Kinematic columns are always called `pt eta phi energy` (GeV, radians); `type` holds the integer
    node type, `0 .. n_type - 1`. Encoders find their inputs by these names, never by position.
    """

    nodes: tuple[str, ...] = EVENT_NODE_FEATURES
    globals: tuple[str, ...] = ("n_node",)
    n_type: int = len(NODE_TYPES)
    transforms: Mapping[str, str] = field(default_factory=lambda: dict(LOGARITHMIC))

    def transform(self, name: str) -> str:
        """How a node feature is transformed before it is standardised: a name of `graph.scaling.TRANSFORMS`."""
        return self.transforms.get(name, "linear")

    def column(self, name: str) -> int:
        """The position of a node feature; raises KeyError with the known names."""
        if name not in self.nodes:
            raise KeyError(f"no node feature {name}; known are {', '.join(self.nodes)}")
        return self.nodes.index(name)
