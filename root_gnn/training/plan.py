"""What a run does to its weights: loaded, new, frozen, and at which rate each group is trained."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from root_gnn.atomic import write_json
from root_gnn.errors import InputError
from root_gnn.protocols import Encoder, Objective
from root_gnn.training.fit import part, weights
from root_gnn.training.optim import OptimConfig, groups


@dataclass(frozen=True)
class Plan:
    """What a run does to its weights; written as `plan.json` and printed before training starts.

    Names of tensors are as in the objective.

    Attributes:
        mode: `scratch`, `finetuned` or `frozen`.
        source: name of the pretrained run; None for none.
        source_sha256: digest of its checkpoint.
        loaded: tensors that come from it.
        initialised: tensors with new weights.
        skipped: tensors of the checkpoint that are not used, such as the old head.
        frozen: parameters that are not trained.
        groups: name, learning rate, weight decay and size of each parameter group.
        n_parameters: parameters in all.
        events: events of each split.
    """

    mode: str
    source: str | None = None
    source_sha256: str | None = None
    loaded: tuple[str, ...] = ()
    initialised: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()
    frozen: tuple[str, ...] = ()
    groups: tuple[dict[str, Any], ...] = ()
    n_parameters: int = 0
    events: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        objective: Objective,
        optim: OptimConfig,
        *,
        mode: str,
        events: dict[str, int],
        source: Path | None = None,
        skipped: tuple[str, ...] = (),
    ) -> Plan:
        """Makes the plan of a run.

        Args:
            objective: the objective, with its weights loaded.
            optim: the section `optim` of the recipe.
            mode: `scratch`, `finetuned` or `frozen`.
            events: events of each split.
            source: the checkpoint that the encoder came from; None for a new encoder.
            skipped: tensors of the checkpoint that are not used.
        """
        names = list(objective.state_dict())
        from_source = [name for name in names if source is not None and name.startswith("encoder.")]
        frozen = optim.backbone_lr_scale == 0.0
        objective.encoder.requires_grad_(not frozen)
        rows = tuple(
            {"name": group.name, "lr": group.lr, "weight_decay": group.weight_decay, "n_parameters": group.n_parameter}
            for group in groups(objective.encoder, objective, optim)
        )
        return cls(
            mode=mode,
            source=None if source is None else source.resolve().parents[1].name,
            source_sha256=None if source is None else sha256(source),
            loaded=tuple(from_source),
            initialised=tuple(name for name in names if name not in set(from_source)),
            skipped=skipped,
            frozen=tuple(f"encoder.{name}" for name, _ in objective.encoder.named_parameters()) if frozen else (),
            groups=rows,
            n_parameters=sum(parameter.numel() for parameter in objective.parameters()),
            events=events,
        )

    def save(self, path: Path) -> None:
        """Writes the plan as JSON."""
        write_json(path, asdict(self))

    def __str__(self) -> str:
        origin = (
            f" from {self.source}: {len(self.loaded)} tensors loaded, {len(self.skipped)} skipped"
            if self.source
            else ""
        )
        lines = [
            f"{self.mode}{origin}, {len(self.initialised)} new, {len(self.frozen)} frozen, "
            f"{self.n_parameters:,} parameters"
        ]
        lines += [
            f"  {row['name']:<18} {row['n_parameters']:>9,} parameters, lr {row['lr']:.2e}, weight "
            f"decay {row['weight_decay']:g}"
            for row in self.groups
        ]
        lines.append("  events: " + ", ".join(f"{name} {count:,}" for name, count in self.events.items()))
        return "\n".join(lines)


def sha256(path: Path) -> str:
    """Returns the hexadecimal SHA-256 digest of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def load_backbone(encoder: Encoder, checkpoint: Path) -> tuple[str, ...]:
    """Loads every tensor of a checkpoint's encoder; returns the names of the tensors left behind (the old head).

    Raises InputError naming the first tensors that are missing, too many, or of another shape.
    """
    state = weights(checkpoint)
    tensors = part(state, "objective.encoder")
    own = encoder.state_dict()
    wrong = [f"{name} is missing" for name in own if name not in tensors]
    wrong += [f"{name} is not in this encoder" for name in tensors if name not in own]
    wrong += [
        f"{name} has shape {tuple(tensors[name].shape)} instead of {tuple(own[name].shape)}"
        for name in own
        if name in tensors and tensors[name].shape != own[name].shape
    ]
    if wrong:
        raise InputError(
            f"the backbone in {checkpoint} does not fit the model: {'; '.join(wrong[:3])}"
            f"{f' and {len(wrong) - 3} more' if len(wrong) > 3 else ''}. Use the model section "
            "of that run's config.yaml."
        )
    encoder.load_state_dict(tensors, strict=True)
    return tuple(name.removeprefix("objective.") for name in state if not name.startswith("objective.encoder."))
