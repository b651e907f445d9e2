"""Widths and heads that fast kernels take, and what the message proposes instead."""

from __future__ import annotations

import pytest
from pydantic import TypeAdapter, ValidationError

from root_gnn.nn.widths import Width, check_heads, most_heads


@pytest.mark.parametrize(("width", "text"), [(12, "take 8 or 16"), (3, "take 8$")])
def test_other_widths_are_refused_with_the_nearest_ones(width: int, text: str) -> None:
    assert TypeAdapter(Width).validate_python(24) == 24
    with pytest.raises(ValidationError, match=f"not {width}; {text.rstrip('$')}"):
        TypeAdapter(Width).validate_python(width)


def test_heads_share_the_width_in_multiples_of_eight() -> None:
    check_heads(64, 8)
    with pytest.raises(ValueError, match=r"dim 64 for 16 heads makes each 4 wide; .* take dim 128 or 8 heads"):
        check_heads(64, 16)


@pytest.mark.parametrize(("dim", "n_head"), [(64, 8), (32, 4), (48, 2), (24, 1), (8, 1)])
def test_the_most_heads_that_fit_are_a_power_of_two(dim: int, n_head: int) -> None:
    assert most_heads(dim) == n_head
    check_heads(dim, n_head)
