"""Deep sets over nodes and over the jets of an event."""

from __future__ import annotations

import pytest
import torch

from root_gnn.errors import InputError
from root_gnn.graph.batch import Batch
from root_gnn.heads.deep_sets import Config, events_of
from root_gnn.testing import check_head


def encoded(sizes: tuple[int, ...], dim: int = 8, ids: list[list[int]] | None = None) -> Batch:
    generator = torch.Generator().manual_seed(1)
    total = sum(sizes)
    return Batch.of(
        torch.randn(total, dim, generator=generator),
        torch.tensor(sizes),
        globals=torch.randn(len(sizes), dim, generator=generator),
        ids=None if ids is None else torch.tensor(ids),
    )


@pytest.mark.parametrize("settings", [{}, {"beside": True}, {"pooling": "mean", "hidden": 24, "n_layer": 1}])
def test_it_keeps_the_contract(settings: dict[str, object]) -> None:
    check_head(Config.model_validate(settings).build)


def test_over_nodes_it_is_a_loop() -> None:
    head, batch = Config(beside=True).build(8, 3).eval(), encoded((3, 0, 4))
    logits, start = head(batch), 0
    for graph, count in enumerate((3, 0, 4)):
        pooled = sum((head.phi(row) for row in batch.nodes[start : start + count]), torch.zeros(8))
        expected = head.out(head.rho(torch.cat([pooled, batch.globals[graph]])))
        torch.testing.assert_close(logits[graph], expected, rtol=1e-4, atol=1e-5)
        start += count


@pytest.mark.parametrize("pooling", ["sum", "mean"])
def test_over_an_event_jets_are_found_by_ids_in_any_order(pooling: str) -> None:
    ids = [[1, 7, 0], [2, 7, 0], [1, 7, 1], [1, 8, 0], [1, 7, 2]]  # run, event, jet
    head, batch = (
        Config.model_validate({"over": "event", "pooling": pooling}).build(8, 2).eval(),
        encoded((1, 2, 0, 1, 3), ids=ids),
    )
    logits = head(batch)
    for jets in ([0, 2, 4], [1], [3]):
        phi = torch.stack([head.phi(batch.globals[jet]) for jet in jets])
        expected = head.out(head.rho(phi.sum(0) if pooling == "sum" else phi.mean(0)))
        for jet in jets:
            torch.testing.assert_close(logits[jet], expected, rtol=1e-4, atol=1e-5)
    order = torch.tensor([4, 1, 3, 0, 2])
    torch.testing.assert_close(head(batch.select(order)), logits[order], rtol=1e-4, atol=1e-5)
    event, n_jet = events_of(batch)
    assert event.tolist() == [0, 2, 0, 1, 0] and n_jet.tolist() == [3, 1, 1]


def test_an_event_needs_ids_and_takes_no_global_beside() -> None:
    head = Config(over="event").build(8, 2)
    for ids in (None, [[1], [2]]):
        with pytest.raises(InputError, match="graph_per"):
            head(encoded((1, 2), ids=ids))
    with pytest.raises(InputError, match="over: nodes"):
        Config(over="event", beside=True).build(8, 2)


def test_of_an_event_the_first_jet_counts() -> None:
    batch = Batch.of(
        torch.zeros(4, 3), torch.ones(4, dtype=torch.int64), ids=torch.tensor([[7, 1], [3, 0], [7, 0], [3, 1]])
    )
    over_event, over_nodes = (Config(over=over).build(3, 2) for over in ("event", "nodes"))
    counted = over_event.valid_graphs(batch)
    assert counted is not None and counted.tolist() == [True, True, False, False]
    assert over_nodes.valid_graphs(batch) is None
    assert Config(over="event").whole_events and not Config().whole_events
