"""A compiled backbone gives the results of the plain one, and the encoder is unchanged afterwards."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

from root_gnn.errors import InputError
from root_gnn.graph.features import Features
from root_gnn.graph.scaling import Scaling
from root_gnn.models.encode_process_decode import Config
from root_gnn.testing import TinyEncoder, random_batch
from root_gnn.training.compiled import compiled


def gradient(encoder: torch.nn.Module, seed: int) -> torch.Tensor:
    encoder.zero_grad()
    out = encoder(random_batch(Features(), (3, 4, 2, seed), seed=seed))
    (out.globals.square().sum() + out.nodes.cos().sum()).backward()
    return torch.cat([weight.grad.flatten() for weight in encoder.parameters() if weight.grad is not None])


def test_the_compiled_forward_is_used_inside_the_block_and_with_gradients_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """With PyTorch's backend `eager`, which records the operations and makes no kernels; the slow tests make them."""
    n_call, compile_with_inductor = 0, torch.compile

    def compile_without_kernels(forward: Any, *, dynamic: bool, options: dict[str, Any]) -> Callable[..., Any]:
        assert dynamic and options == {"fallback_random": True}
        traced: Callable[..., Any] = compile_with_inductor(forward, dynamic=dynamic, backend="eager")

        def counted(*given: Any) -> Any:
            nonlocal n_call
            n_call += 1
            return traced(*given)

        return counted

    monkeypatch.setattr(torch, "compile", compile_without_kernels)
    encoder = TinyEncoder(Features())
    names, expected = list(encoder.state_dict()), gradient(encoder, 3)
    with compiled(encoder, fixed_shapes=False):
        assert "forward" in vars(encoder) and list(encoder.state_dict()) == names
        torch.testing.assert_close(gradient(encoder, 3), expected, rtol=1e-5, atol=1e-6)
        assert n_call == 1
        with torch.no_grad():
            encoder(random_batch(Features(), (3, 4), seed=1))
        assert n_call == 1, "validation runs the plain forward"
    assert "forward" not in vars(encoder)
    gradient(encoder, 3)
    assert n_call == 1


@pytest.mark.slow
def test_kernels_give_the_gradients_of_the_plain_encoder() -> None:
    encoder = TinyEncoder(Features())
    expected = [gradient(encoder, seed) for seed in (3, 5)]
    with compiled(encoder, fixed_shapes=False):
        for seed, plain in zip((3, 5), expected, strict=True):
            torch.testing.assert_close(gradient(encoder, seed), plain, rtol=1e-5, atol=1e-6)


def test_a_missing_compiler_is_named() -> None:
    from torch._inductor import config

    missing = config.patch({"cpp.cxx": ("no-such-compiler",)})
    with (
        missing,
        pytest.raises(InputError, match="no C\\+\\+ compiler"),
        compiled(TinyEncoder(Features()), fixed_shapes=False),
    ):
        pass


@pytest.mark.slow
@pytest.mark.parametrize("fixed_shapes", [True, False])
def test_the_graph_network_is_the_same_compiled(fixed_shapes: bool) -> None:
    encoder = Config(dim=16, n_steps=2, dropout=0.0).build(Features(), Scaling())
    seeds = (5,) if fixed_shapes else (5, 7, 4)
    expected = [gradient(encoder, seed) for seed in seeds]
    with compiled(encoder, fixed_shapes=fixed_shapes):
        for seed, plain in zip(seeds, expected, strict=True):
            assert float((gradient(encoder, seed) - plain).norm() / plain.norm()) < 1e-5
