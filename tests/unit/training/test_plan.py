"""A backbone is loaded whole or refused: nothing is left out in silence, nothing that is not there is made up."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor

from root_gnn.errors import InputError
from root_gnn.graph.features import Features
from root_gnn.graph.scaling import Affine, Scaling
from root_gnn.models.encode_process_decode import Config
from root_gnn.protocols import Encoder
from root_gnn.training.plan import load_backbone


def encoder(seed: int, *, mean: float = 0.0) -> Encoder:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return Config(dim=8, n_steps=1).build(Features(), Scaling(nodes={"pt": Affine("log", mean, 2.0)}))


def saved(path: Path, state: dict[str, Tensor]) -> Path:
    torch.save(
        {
            "state_dict": {f"objective.encoder.{name}": value for name, value in state.items()}
            | {"objective.head.weight": torch.zeros(2, 2)}
        },
        path,
    )
    return path


def test_everything_is_loaded_the_scaling_too_and_the_old_head_is_named(tmp_path: Path) -> None:
    one, other = encoder(1, mean=4.0), encoder(2)
    skipped = load_backbone(other, saved(tmp_path / "x.ckpt", one.state_dict()))
    assert skipped == ("head.weight",)
    assert all(torch.equal(value, other.state_dict()[name]) for name, value in one.state_dict().items())
    assert any(
        float(buffer.abs().max()) == 4.0
        for name, buffer in other.named_buffers()
        if name.endswith("mean") and len(buffer)
    )


@pytest.mark.parametrize("change", ["missing", "not in this encoder", "has shape"])
def test_a_tensor_too_few_too_many_or_of_another_shape_is_refused_by_name(change: str, tmp_path: Path) -> None:
    """OmniLearned, OmniJet and Finetune_hep loaded with strict=False or by matching names, and said nothing."""
    state = dict(encoder(1).state_dict())
    name = next(name for name, value in state.items() if value.ndim == 2)
    if change == "missing":
        del state[name]
    elif change == "has shape":
        state[name] = torch.zeros(1, 1)
    else:
        name = "another.weight"
        state[name] = torch.zeros(1)
    target = encoder(2)
    before = {key: value.clone() for key, value in target.state_dict().items()}
    with pytest.raises(InputError, match=f"{name} .*{change}|{name} is {change}"):
        load_backbone(target, saved(tmp_path / "x.ckpt", state))
    assert all(torch.equal(value, before[key]) for key, value in target.state_dict().items())
