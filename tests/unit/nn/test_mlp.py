"""The perceptron in parts is the perceptron."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from root_gnn.nn.mlp import ACTIVATIONS, MLP, ActivationName

WIDTHS = (3, 5, 2)


def test_parts_add_up_to_the_concatenated_input() -> None:
    mlp = MLP(WIDTHS, 4, n_layer=3).double()
    parts = [
        torch.randn(6, width, dtype=torch.float64, generator=torch.Generator().manual_seed(width)) for width in WIDTHS
    ]
    first = mlp.part(0, parts[0]) + mlp.part(1, parts[1], bias=True) + mlp.part(2, parts[2])
    torch.testing.assert_close(mlp.rest(first), mlp(torch.cat(parts, 1)), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("activate_last", [False, True])
def test_layers_are_linear_activation_and_norm_in_that_order(activation: ActivationName, activate_last: bool) -> None:
    mlp = MLP((3,), 4, n_layer=2, activation=activation, activate_last=activate_last).eval()
    linear = [module for module in mlp.rest if isinstance(module, nn.Linear)]
    rows, act = torch.randn(5, 3, generator=torch.Generator().manual_seed(1)), ACTIVATIONS[activation]()
    hidden = linear[0](act(mlp.first(rows)))
    hidden = act(hidden) if activate_last else hidden
    centred = hidden - hidden.mean(1, keepdim=True)
    expected = centred / (hidden.var(1, unbiased=False, keepdim=True) + 1e-5).sqrt()
    torch.testing.assert_close(mlp(rows), expected)


@pytest.mark.parametrize(
    ("n_layer", "norm", "expected"), [(1, False, 16), (2, True, 16 + 20 + 8), (4, True, 16 + 3 * 20 + 8)]
)
def test_parameters_are_counted_as_published(n_layer: int, norm: bool, expected: int) -> None:
    assert sum(p.numel() for p in MLP((3,), 4, n_layer=n_layer, norm=norm).parameters()) == expected


def test_dropout_follows_every_activation() -> None:
    assert sum(isinstance(module, nn.Dropout) for module in MLP((3,), 4, n_layer=3, dropout=0.2).rest) == 2
    assert (
        sum(isinstance(module, nn.Dropout) for module in MLP((3,), 4, n_layer=3, dropout=0.2, activate_last=True).rest)
        == 3
    )
