"""The backends on simulated and measured events, with one node and none too: outputs and gradients to 1e-5."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor

from root_gnn.data.reading.graphs import build_graphs
from root_gnn.data.reading.read import read
from root_gnn.data.spec.spec import load_spec
from root_gnn.graph.batch import Batch, concatenate
from root_gnn.graph.features import Features
from root_gnn.graph.scaling import Scaling
from root_gnn.models.encode_process_decode import Backend, Config

N_EVENT = 20
FORMS = [pytest.param(form, marks=getattr(pytest.mark, form)) for form in ("compiled", "pyg", "dgl")]


def with_small_events(batch: Batch) -> Batch:
    """The batch, and its first event again with one node and with none."""
    bare = batch.replace(labels={}, weights=None, ids=None)
    one = Batch.of(batch.nodes[:1], torch.tensor([1]))
    return concatenate([bare, one, Batch.of(batch.nodes[:0], torch.tensor([0]))]).check()


def outputs_and_gradient(form: Backend, batch: Batch, features: Features) -> tuple[Tensor, Tensor]:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        encoder = Config(form=form).build(features, Scaling.fit([batch], features)).eval()
    out = encoder(batch)
    row = torch.cat([out.nodes.flatten(), out.globals.flatten()])
    (row * torch.cos(torch.arange(row.shape[0]))).sum().backward()
    return row.detach(), torch.cat([p.grad.flatten() for p in encoder.parameters()])


def assert_agreement(form: Backend, batch: Batch, features: Features) -> None:
    row, gradient = outputs_and_gradient("native", batch, features)
    other, other_gradient = outputs_and_gradient(form, batch, features)
    assert float((other - row).abs().max()) < 1e-5
    assert float((other_gradient - gradient).norm() / gradient.norm()) < 1e-5


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("process", ["ttH", "WH"])
def test_forms_agree_on_simulated_events(form: Backend, process: str, data_dir: Path) -> None:
    spec = load_spec("events")
    batch = with_small_events(build_graphs(read(data_dir / f"{process}.root", spec, stop=N_EVENT), spec))
    assert batch.n_node.tolist()[-2:] == [1, 0]
    assert_agreement(form, batch, spec.features())


@pytest.mark.parametrize("form", FORMS)
def test_forms_agree_on_measured_events(form: Backend, real_data: Path) -> None:
    spec = load_spec("hzz")
    every = build_graphs(read(real_data / "flat" / "uproot-HZZ.root", spec), spec)
    measured = every.select(torch.argsort(every.n_node, stable=True))
    batch = with_small_events(measured.select(torch.cat([torch.arange(N_EVENT), torch.arange(-5, 0)])))
    assert int((batch.n_node <= 2).sum()) > N_EVENT / 2
    assert_agreement(form, batch, spec.features())
