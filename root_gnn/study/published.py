"""What somebody else published on the tasks of a study, as its YAML has it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from root_gnn.config.section import Section

Range = tuple[float, float]


class Published(Section):
    """The `published` key of a study: figures of one group of trainings against the same from scratch.

    Attributes:
        source: where they stand.
        group: the group of this study that they are set beside.
        gain_smallest, gain_largest: from and to, the gain in AUC over that of scratch, at the fewest and at the most
            training events.
        cost_ratio: by task, the cost until 99.9 % of scratch's best over that of scratch.
        break_even: trainings after which the pretraining has paid for itself.
        similarity: whether CKA found the pretrained networks `other` than those from scratch, or `alike`.
        events: what is said of their numbers of events.
    """

    source: str
    group: str
    events: str = ""
    gain_smallest: Range | None = None
    gain_largest: Range | None = None
    cost_ratio: dict[str, Annotated[float, Field(gt=0)]] = Field(default_factory=dict)
    break_even: Annotated[float, Field(gt=0)] | None = None
    similarity: Literal["other", "alike"] | None = None
