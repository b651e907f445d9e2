"""Common prefixes."""

from __future__ import annotations

import pytest

from root_gnn.convert.naming import prefix_of


@pytest.mark.parametrize(
    ("names", "prefix"),
    [
        (["label_QCD", "label_Hbb"], "label_"),
        (["pf_a_x", "pf_a_y"], "pf_a_"),
        (["label_QCD", "lab_Hbb"], ""),
        (["label_QCD"], ""),
        ([], ""),
    ],
)
def test_it_ends_with_an_underscore(names: list[str], prefix: str) -> None:
    assert prefix_of(names) == prefix
