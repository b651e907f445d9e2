"""NT-Xent against a double loop in float64, its memory, and the same loss on two processes as on one."""

from __future__ import annotations

import math
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from root_gnn.augmentations.reflect_eta import Config as ReflectEta
from root_gnn.augmentations.rotate_phi import Config as RotatePhi
from root_gnn.graph.features import Features
from root_gnn.graph.random_stream import RandomStream
from root_gnn.nn import nt_xent as nt_xent_file
from root_gnn.nn.nt_xent import alignment, nt_xent, uniformity
from root_gnn.objectives.contrastive import Config
from root_gnn.objectives.parts.views import Views
from root_gnn.protocols import Question
from root_gnn.testing import TinyEncoder, random_batch


def naive(first: Tensor, second: Tensor, temperature: float, positive_in_denominator: bool) -> float:
    rows = [row.tolist() for row in torch.cat([first, second]).double()]
    n = len(first)

    def similarity(a: list[float], b: list[float]) -> float:
        return sum(x * y for x, y in zip(a, b, strict=True)) / math.sqrt(sum(x * x for x in a) * sum(y * y for y in b))

    total = 0.0
    for i in range(2 * n):
        partner = (i + n) % (2 * n)
        others = [j for j in range(2 * n) if j != i and (positive_in_denominator or j != partner)]
        denominator = sum(math.exp(similarity(rows[i], rows[j]) / temperature) for j in others)
        total -= math.log(math.exp(similarity(rows[i], rows[partner]) / temperature) / denominator)
    return total / (2 * n)


@pytest.mark.parametrize("positive_in_denominator", [True, False])
@pytest.mark.parametrize(("n", "dim", "temperature"), [(2, 3, 0.1), (9, 16, 0.1), (5, 8, 1.0)])
def test_the_loss_is_that_of_the_double_loop(
    n: int, dim: int, temperature: float, positive_in_denominator: bool
) -> None:
    generator = torch.Generator().manual_seed(n)
    first, second = 3.0 * torch.randn(n, dim, generator=generator), torch.randn(n, dim, generator=generator)
    loss = nt_xent(first, second, temperature=temperature, positive_in_denominator=positive_in_denominator)
    assert loss.dtype == torch.float32
    assert float(loss) == pytest.approx(naive(first, second, temperature, positive_in_denominator), rel=1e-6, abs=1e-6)


def test_the_loss_stays_in_float32_under_bf16() -> None:
    generator = torch.Generator().manual_seed(1)
    first, second = torch.randn(6, 8, generator=generator), torch.randn(6, 8, generator=generator)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        loss = nt_xent(first, second, temperature=0.1, positive_in_denominator=True)
    assert loss.dtype == torch.float32
    assert float(loss) == pytest.approx(naive(first, second, 0.1, True), rel=1e-6)


@pytest.mark.parametrize("positive_in_denominator", [True, False])
@pytest.mark.parametrize("at_a_time", [nt_xent_file.AT_A_TIME, 30, 1])
def test_the_gradient_is_that_of_finite_differences(
    positive_in_denominator: bool, at_a_time: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nt_xent_file, "AT_A_TIME", at_a_time)
    generator = torch.Generator().manual_seed(3)
    views = [torch.randn(5, 4, generator=generator, dtype=torch.float64, requires_grad=True) for _ in range(2)]

    def loss(first: Tensor, second: Tensor) -> Tensor:
        return nt_xent(first, second, temperature=0.3, positive_in_denominator=positive_in_denominator)

    assert torch.autograd.gradcheck(loss, tuple(views))
    assert float(loss(*views).detach()) == pytest.approx(
        naive(views[0].detach(), views[1].detach(), 0.3, positive_in_denominator), rel=1e-12
    )


@pytest.mark.parametrize("temperature", [0.034, 0.1, 2.0])
def test_the_symmetric_way_is_the_general_one(temperature: float, monkeypatch: pytest.MonkeyPatch) -> None:
    generator = torch.Generator().manual_seed(6)
    views = [torch.randn(300, 24, generator=generator) for _ in range(2)]
    views[1][1] = -views[0][1]  # partners as far from each other as can be
    views[0][2] = 0.0  # a row without a direction
    found = []
    for at_a_time in (nt_xent_file.AT_A_TIME, 600 * 600 - 1):
        monkeypatch.setattr(nt_xent_file, "AT_A_TIME", at_a_time)
        one, two = (view.clone().requires_grad_() for view in views)
        loss = nt_xent(one, two, temperature=temperature, positive_in_denominator=True)
        (3.0 * loss).backward()
        assert one.grad is not None and two.grad is not None
        found.append((loss.detach(), one.grad, two.grad))
    for symmetric, general in zip(*found, strict=True):
        torch.testing.assert_close(symmetric, general, rtol=1e-5, atol=1e-5 * float(general.abs().max()))


def test_small_temperatures_neither_overflow_nor_vanish() -> None:
    generator = torch.Generator().manual_seed(4)
    first, second = (torch.randn(8, 16, generator=generator, requires_grad=True) for _ in range(2))
    loss = nt_xent(first, second, temperature=1e-3, positive_in_denominator=True)
    loss.backward()
    hardest = torch.cat([F.normalize(first.detach()), F.normalize(second.detach())])
    similarity = (hardest @ hardest.T).fill_diagonal_(-2.0)
    expected = (
        similarity.amax(1) - torch.cat([similarity.diagonal(8), similarity.diagonal(-8)])
    ).mean() / 1e-3  # the largest alone counts
    assert float(loss.detach()) == pytest.approx(float(expected), rel=1e-4)
    assert first.grad is not None and bool(torch.isfinite(first.grad).all())


@pytest.mark.parametrize("positive_in_denominator", [True, False])
def test_one_object_alone_has_no_loss_and_no_nan(positive_in_denominator: bool) -> None:
    first, second = torch.ones(1, 4, requires_grad=True), torch.ones(1, 4)
    loss = nt_xent(first, second, temperature=0.1, positive_in_denominator=positive_in_denominator)
    loss.backward()
    assert float(loss.detach()) == 0.0 and first.grad is not None and bool(torch.isfinite(first.grad).all())


def test_alignment_and_uniformity_are_their_formulas() -> None:
    generator = torch.Generator().manual_seed(2)
    first, second = torch.randn(7, 4, generator=generator), torch.randn(7, 4, generator=generator)
    a, b = (rows / rows.norm(dim=1, keepdim=True) for rows in (first, second))
    assert float(alignment(first, second)) == pytest.approx(
        float(sum((x - y).square().sum() for x, y in zip(a, b, strict=True)) / 7)
    )
    pairs = [math.exp(-2.0 * float((a[i] - a[j]).square().sum())) for i in range(7) for j in range(7) if i != j]
    assert float(uniformity(first)) == pytest.approx(math.log(sum(pairs) / len(pairs)), rel=1e-5)


def test_views_differ_and_leave_the_batch_alone() -> None:
    batch = random_batch(Features(), (3, 4, 2), seed=1)
    before = batch.nodes.clone()
    views = Views([[RotatePhi()], [RotatePhi(), ReflectEta()]], Features())
    first, second = views(batch, RandomStream(seed=1, epoch=0))
    again, _ = views(batch, RandomStream(seed=1, epoch=0))
    later, _ = views(batch, RandomStream(seed=1, epoch=1))
    assert torch.equal(batch.nodes, before) and torch.equal(first.nodes, again.nodes)
    assert not torch.allclose(first.nodes[:, 2], second.nodes[:, 2]) and not torch.allclose(
        first.nodes[:, 2], later.nodes[:, 2]
    )


def test_labels_and_weights_change_nothing() -> None:
    batch = random_batch(Features(), (3, 4, 2, 5), seed=1)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        objective = Config().build(TinyEncoder(Features()), Question()).eval()
    loss = objective(batch)["loss"]
    labelled = batch.replace(labels={"label": torch.arange(4)}, weights=torch.tensor([1.0, -3.0, 2.0, 0.0]))
    assert torch.equal(objective(labelled)["loss"], loss)
    assert set(objective(batch)) == {"loss", "alignment"} and set(objective.train()(batch)) == {"loss"}


def test_the_published_preset_is_jetclr_and_given_keys_count_more() -> None:
    config = Config.model_validate({"preset": "paper", "temperature": 0.2})
    chains = [[type(one).__module__.rpartition(".")[2] for one in chain] for chain in config.views]
    assert chains == [["rotate", "translate"], ["rotate", "collinear_split", "smear", "translate"]]
    assert (config.temperature, config.positive_in_denominator, config.projector) == (0.2, False, (1024, 1024))
    assert Config.model_validate(config.model_dump(mode="json")) == config and Config().positive_in_denominator


PEAK = """
import resource, torch
from root_gnn.nn.nt_xent import nt_xent
torch.set_num_threads(1)
def step(n, dim):
    first, second = (torch.randn(n, dim, requires_grad=True) for _ in range(2))
    nt_xent(first, second, temperature=0.1, positive_in_denominator=True).backward()
step(8, 1024)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
step(2048, 1024)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)
"""


def test_2048_pairs_of_1024_features_take_less_than_a_gibibyte() -> None:
    done = subprocess.run([sys.executable, "-c", PEAK], capture_output=True, text=True, check=True)
    assert float(done.stdout) < 1024.0  # MiB; one array of (2B)^2 x D would take 64 GiB


RANK = """
import sys, torch, torch.distributed as dist
from root_gnn.nn.nt_xent import nt_xent
rank, sizes, path = int(sys.argv[1]), (5, 4), sys.argv[2]
dist.init_process_group("gloo", init_method=f"file://{path}/meeting", rank=rank, world_size=2)
rows = torch.randn(2, 9, 6, generator=torch.Generator().manual_seed(1))
start = sum(sizes[:rank])
first, second = (view[start : start + sizes[rank]].clone().requires_grad_() for view in rows)
loss = nt_xent(first, second, temperature=0.2, positive_in_denominator=False)
loss.backward()
torch.save([loss.detach(), first.grad, second.grad], f"{path}/{rank}.pt")
dist.destroy_process_group()
"""


@pytest.mark.slow
def test_two_processes_have_the_loss_and_gradients_of_one(tmp_path: Path) -> None:
    running = [subprocess.Popen([sys.executable, "-c", RANK, str(rank), str(tmp_path)]) for rank in range(2)]
    assert [process.wait(timeout=120) for process in running] == [0, 0]
    parts = [torch.load(tmp_path / f"{rank}.pt", weights_only=True) for rank in range(2)]
    rows = torch.randn(2, 9, 6, generator=torch.Generator().manual_seed(1))
    first, second = (view.clone().requires_grad_() for view in rows)
    loss = nt_xent(first, second, temperature=0.2, positive_in_denominator=False)
    loss.backward()
    assert float(sum(part[0] for part in parts) / 2) == pytest.approx(
        float(loss.detach()), rel=1e-6
    )  # as DDP averages gradients
    for place, whole in ((1, first.grad), (2, second.grad)):
        torch.testing.assert_close(torch.cat([part[place] for part in parts]) / 2, whole, rtol=1e-4, atol=1e-7)
