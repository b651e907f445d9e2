"""Widths that the fast kernels of GPUs take: multiples of 8."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

STEP = 8


def _multiple(width: int) -> int:
    if width % STEP:
        below = width - width % STEP
        near = f"{below} or {below + STEP}" if below else f"{STEP}"
        raise ValueError(
            f"a width must be a multiple of {STEP}, which the fast kernels of GPUs need, not {width}; take {near}"
        )
    return width


Width = Annotated[int, Field(ge=1), AfterValidator(_multiple)]


def check_heads(dim: int, n_head: int) -> None:
    """Raises ValueError unless `dim` can be shared among `n_head` heads whose width is a multiple of 8."""
    if dim % (STEP * n_head):
        raise ValueError(
            f"dim {dim} for {n_head} heads makes each {dim / n_head:g} wide; a head's width must be a multiple of "
            f"{STEP}: take dim {STEP * n_head * max(1, round(dim / (STEP * n_head)))} or {max(1, dim // STEP)} heads "
            "or a divisor of that"
        )


def most_heads(dim: int) -> int:
    """The largest number of heads, at most 8, whose width is a multiple of 8; 1 where there is none."""
    return next((n_head for n_head in (8, 4, 2) if dim % (STEP * n_head) == 0), 1)
