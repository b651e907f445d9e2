"""Converts weights of a Particle Transformer of weaver-core (version 1 of the network; arXiv:2202.03772)."""

from __future__ import annotations

import re
from collections.abc import Mapping

from torch import Tensor, nn

from root_gnn.errors import InputError

BLOCK = {
    "c_attn": "head_scale",
    "w_resid": "residual_scale",
    "pre_attn_norm": "before_attention",
    "attn.in_proj": "attention.project_in",
    "attn.out_proj": "attention.project_out",
    "post_attn_norm": "after_attention",
    "pre_fc_norm": "before_layers",
    "fc1": "widen",
    "post_fc_norm": "between_layers",
    "fc2": "narrow",
}
ONLY_OURS = ("inputs.", "pairs.mean", "pairs.std")  # scales; weaver has its own outside of the network


def weaver_weights(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Renames the state dict of weaver's `ParticleTransformer`, without its classification layers `fc`.

    A prefix that wrappers add (`mod.`, `module.`) is dropped. Raises InputError naming an unknown parameter.
    """
    plain = {_plain(name): value for name, value in state.items()}
    renamed = {name: _renamed(name) for name in plain if not name.startswith("fc.") and not name.startswith("trimmer.")}
    unknown = sorted(name for name, ours in renamed.items() if ours is None)
    if unknown:
        raise InputError(
            f"weights of weaver's ParticleTransformer version 1 were expected; "
            f"{unknown[0]} and {len(unknown) - 1} more are not among its names. "
            "Versions 2 and 3 are other networks; the tagger with secondary vertices has two embeddings"
        )
    values = {ours: plain[name] for name, ours in renamed.items() if ours is not None}
    return {
        name: value.squeeze(-1) if name.startswith("pairs.layers") and value.ndim == 3 else value
        for name, value in values.items()
    }


def load_weaver(encoder: nn.Module, state: Mapping[str, Tensor]) -> None:
    """Loads weaver's weights into a `particle_transformer` of the same sizes (`preset: paper` has weaver's defaults).

    The inputs must be those that weaver was trained on, in its order: see `docs/models.md`. Raises InputError if a name
    or a size differs.
    """
    weights = weaver_weights(state)
    own = encoder.state_dict()
    wrong = [
        name
        for name in own
        if not name.startswith(ONLY_OURS) and (name not in weights or weights[name].shape != own[name].shape)
    ]
    wrong += [name for name in weights if name not in own]
    if wrong:
        sizes = " and ".join(
            str(tuple(part[wrong[0]].shape)) if wrong[0] in part else "none" for part in (weights, own)
        )
        raise InputError(
            f"the weights are not those of this network: {wrong[0]} is {sizes} (weaver's and ours), "
            f"and {len(wrong) - 1} more differ; give the model the sizes weaver's was trained with, and as many inputs"
        )
    encoder.load_state_dict({**own, **weights})


def _plain(name: str) -> str:
    """Removes the prefixes of wrappers, and renames projections to layers."""
    return re.sub(r"\.in_proj_(weight|bias)$", r".in_proj.\1", re.sub(r"^(module\.|mod\.|_orig_mod\.)+", "", name))


def _renamed(name: str) -> str | None:
    """Returns our name of a parameter of weaver; None if there is none."""
    if name == "cls_token":
        return "ask.token"
    if name.startswith("norm."):
        return f"ask.{name}"
    if name.startswith("embed.input_bn."):
        return name.replace("embed.input_bn.", "embed.input_norm.")
    if name.startswith("embed.embed."):
        return name.replace("embed.embed.", "embed.layers.")
    if match := re.fullmatch(r"pair_embed\.embed\.(\d+)\.(\w+)", name):
        layer, kind = divmod(int(match[1]) + 1, 3)  # a batch norm, then linear, batch norm, activation for each layer
        return f"pairs.norms.0.{match[2]}" if match[1] == "0" else f"pairs.{_pair_part(layer, kind)}.{match[2]}"
    if match := re.fullmatch(r"(blocks|cls_blocks)\.(\d+)\.(.+?)((?:\.weight|\.bias)?)", name):
        part = BLOCK.get(match[3])
        where = "blocks" if match[1] == "blocks" else "ask.blocks"
        return None if part is None else f"{where}.{match[2]}.{part}{match[4]}"
    return None


def _pair_part(layer: int, kind: int) -> str:
    return f"layers.{layer}" if kind == 2 else f"norms.{layer}"
