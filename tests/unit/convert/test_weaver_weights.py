"""Names of weaver's parameters."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from root_gnn.convert.weaver_weights import load_weaver, weaver_weights
from root_gnn.errors import InputError

ONE = torch.ones(1)


def test_parameters_are_renamed_and_the_classifier_is_dropped() -> None:
    state = {"mod.cls_token": ONE, "mod.embed.embed.0.weight": ONE, "mod.fc.0.weight": ONE, "norm.bias": ONE}
    assert set(weaver_weights(state)) == {"ask.token", "embed.layers.0.weight", "ask.norm.bias"}


def test_an_unknown_parameter_is_refused_by_name() -> None:
    with pytest.raises(InputError, match=r"pf_embed\.x and 0 more are not among its names"):
        weaver_weights({"pf_embed.x": ONE})


def test_another_network_is_refused() -> None:
    with pytest.raises(InputError, match="weight is none and"):
        load_weaver(nn.Linear(2, 2, bias=False), {})
