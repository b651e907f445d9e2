"""A compiled backbone gives what the plain one gives, and leaves nothing behind."""

from __future__ import annotations

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


def test_it_is_compiled_inside_the_block_only() -> None:
    encoder = TinyEncoder(Features())
    names, calls = list(encoder.state_dict()), len(torch._dynamo.utils.counters["stats"])
    expected = [gradient(encoder, seed) for seed in (3, 5)]
    with compiled(encoder, fixed_shapes=False):
        assert "forward" in vars(encoder) and list(encoder.state_dict()) == names
        for seed, plain in zip((3, 5), expected, strict=True):
            torch.testing.assert_close(gradient(encoder, seed), plain, rtol=1e-5, atol=1e-6)
        assert len(torch._dynamo.utils.counters["stats"]) > calls
        with torch.no_grad():
            encoder(random_batch(Features(), (3, 4), seed=1))
    assert "forward" not in vars(encoder)


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
