"""What the module does to its objective: frozen means frozen, validation is unweighted by batch, modes come back."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from root_gnn.graph.batch import Batch
from root_gnn.graph.features import Features
from root_gnn.graph.scaling import Scaling
from root_gnn.heads.linear import Config as LinearHead
from root_gnn.models.encode_process_decode import Config as ModelConfig
from root_gnn.objectives.contrastive import Config as ContrastiveConfig
from root_gnn.objectives.multiclass import Config as MulticlassConfig
from root_gnn.objectives.multiclass import Multiclass
from root_gnn.protocols import Question
from root_gnn.testing import TinyEncoder, random_batch
from root_gnn.training.evaluation import model_outputs
from root_gnn.training.module import TrainingModule
from root_gnn.training.optim import OptimConfig

QUESTION = Question(classes=("a", "b"))


def objective() -> Multiclass:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        encoder = ModelConfig(dim=8, n_steps=1, dropout=0.5).build(Features(), Scaling())
        return MulticlassConfig(head=LinearHead()).build(encoder, QUESTION)


def batch(seed: int = 1, n_node: tuple[int, ...] = (3, 1, 4, 2)) -> Batch:
    return random_batch(Features(), n_node, seed=seed, question=QUESTION)


def step(module: TrainingModule) -> None:
    adam = module.configure_optimizers()["optimizer"]
    module.objective(batch())["loss"].backward()
    adam.step()


def test_frozen_backbone_gives_the_same_representation_in_training_and_does_not_decay() -> None:
    """Dropout off, no gradient, no weight decay, and all of it again after a validation."""
    module = TrainingModule(objective(), OptimConfig(backbone_lr_scale=0.0, weight_decay=0.5, lr=0.1))
    encoder, head = module.objective.encoder, module.objective.get_submodule("head")
    before = {name: value.clone() for name, value in module.objective.state_dict().items()}
    with torch.no_grad():
        reference = encoder.eval()(batch()).globals
    for _ in range(2):
        module.eval()
        module.train()
        assert head.training and not any(part.training for part in encoder.modules())
        assert torch.equal(encoder(batch()).globals, reference)
        step(module)
    after = module.objective.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before if name.startswith("encoder."))
    assert any(not torch.equal(before[name], after[name]) for name in before if name.startswith("head."))


def test_a_trained_backbone_has_its_dropout_on_and_moves() -> None:
    module = TrainingModule(objective(), OptimConfig(backbone_lr_scale=0.1)).train()
    encoder = module.objective.encoder
    before = {name: value.clone() for name, value in encoder.named_parameters()}
    assert not torch.equal(encoder(batch()).globals, encoder(batch()).globals)
    step(module)
    assert all(
        not torch.equal(before[name], value) for name, value in encoder.named_parameters() if value.grad is not None
    )


def test_the_shipped_learning_rate_split_reaches_the_optimiser() -> None:
    """EveNet's documented default split was never applied: these are the rates that AdamW has, not those of a plan."""
    from root_gnn.runs.task import finetuning_recipe

    for mode, expected in (("finetuned", 0.1), ("scratch", 1.0)):
        optim = finetuning_recipe("WHvsZH", mode=mode, model=None).optim
        adam = TrainingModule(objective(), optim, n_step=10).configure_optimizers()["optimizer"]
        rates = {group["name"]: group["lr"] for group in adam.param_groups}
        assert rates["backbone"] == pytest.approx(expected * rates["head"]) and rates["head"] > 0


def test_validation_loss_is_the_mean_over_events_with_signed_weights_whatever_the_batches() -> None:
    whole = [batch(1, (3, 1, 4)), batch(2, (2,))]
    module = TrainingModule(objective(), OptimConfig()).eval()
    logged: dict[str, float] = {}
    module.log_dict = lambda values, **keys: logged.update(values)  # type: ignore[method-assign]
    with torch.no_grad():
        for place, part in enumerate(whole):
            module.validation_step(part, place)
    module.on_validation_epoch_end()
    total = 0.0
    for part in whole:
        logits = module.objective.logits(part).detach().double()
        assert part.weights is not None and part.labels is not None
        each = -torch.log_softmax(logits, 1)[torch.arange(part.n_graph), part.labels["label"]]
        total += float((each * part.weights).sum())
    assert logged["val/loss"] == pytest.approx(total / 4, rel=1e-5)
    assert any(part.weights is not None and bool((part.weights < 0).any()) for part in whole)


@pytest.mark.parametrize("training", [True, False])
def test_answers_are_of_evaluation_mode_and_give_the_mode_back(training: bool) -> None:
    asked = objective().train(training)
    first, second = model_outputs(asked, [batch()]), model_outputs(asked, [batch()])
    assert asked.training is training and all(part.training is training for part in asked.modules())
    assert np.array_equal(first.probabilities, second.probabilities)


def test_without_labels_the_callbacks_are_given_what_the_encoder_makes() -> None:
    """JetCLR called the output of the projector's first layer the backbone's."""
    asked = ContrastiveConfig().build(TinyEncoder(Features()), Question())
    module, events = TrainingModule(asked, OptimConfig()).eval(), batch()
    with torch.no_grad():
        found = module.validation_step(events, 0)
        assert torch.equal(found["representation"], asked.encoder(events).globals)
    assert torch.equal(found["label"], events.labels["label"])


def test_a_batch_goes_to_the_device_with_all_it_has(monkeypatch: pytest.MonkeyPatch) -> None:
    """And does not wait to get there: Lightning's own copy does."""
    asked: list[bool] = []
    to = Batch.to

    def noted(self: Batch, device: torch.device | str, *, non_blocking: bool = False) -> Batch:
        asked.append(non_blocking)
        return to(self, device, non_blocking=non_blocking)

    monkeypatch.setattr(Batch, "to", noted)
    moved = TrainingModule(objective(), OptimConfig()).transfer_batch_to_device(batch(), torch.device("meta"), 0)
    assert asked == [True]
    assert {moved.nodes.device.type, moved.n_node.device.type, moved.labels["label"].device.type} == {"meta"}
