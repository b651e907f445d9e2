"""All augmentations on other columns and in chains, the faults of published ones, and what the check itself finds."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

from root_gnn.config.plugins import Allowed, config_class, names
from root_gnn.data.reading.graphs import build_graphs
from root_gnn.data.reading.read import read
from root_gnn.data.spec.spec import load_spec
from root_gnn.graph.batch import Batch
from root_gnn.graph.features import Features
from root_gnn.graph.random_stream import RandomStream
from root_gnn.graph.subgraph import subgraph
from root_gnn.protocols import Augmentation
from root_gnn.testing import check_augmentation, collimated, random_batch

JETCLASS = Features(
    nodes=("deta", "d0val", "energy", "type", "phi", "charge", "eta", "pt", "dphi"),
    globals=("n_node", "jet_pt", "jet_mass"),
    n_type=3,
)
ALL = names("augmentations")
PUBLISHED = {"rotate": {}, "translate": {}, "smear": {}, "collinear_split": {"fraction": 1.0, "max_nodes": 50}}


def build(name: str, features: Features, **options: Any) -> Augmentation:
    section: Any = config_class("augmentations", name, Allowed()).model_validate(options)
    return section.build(features)


@pytest.mark.parametrize("name", ALL)
def test_columns_are_found_by_name(name: str) -> None:
    check_augmentation(lambda features: build(name, features), features=JETCLASS)


@pytest.mark.parametrize("name", [name for name in ALL if name not in ("reflect_eta", "rotate_phi")])
def test_with_a_chance_it_keeps_the_contract_too(name: str) -> None:
    check_augmentation(lambda features: build(name, features, probability=0.6))


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("counts", [(), (0,), (0, 0), (1,), (1, 0)])
def test_batches_of_hardly_anything(name: str, counts: tuple[int, ...]) -> None:
    batch = random_batch(Features(), counts, seed=1)
    out = build(name, Features())(batch, RandomStream(seed=1, epoch=1)).check()
    assert torch.equal(out.n_node > 0, batch.n_node > 0)


@pytest.mark.parametrize("name", ALL)
def test_double_precision_stays(name: str) -> None:
    batch = collimated(random_batch(Features(), (6, 3), seed=1), Features())
    batch = batch.replace(nodes=batch.nodes.double(), globals=batch.globals.double())
    out = build(name, Features())(batch, RandomStream(seed=1, epoch=1))
    assert out.nodes.dtype == out.globals.dtype == torch.float64


def jets(n_graph: int = 40, size: int = 12) -> Batch:
    return collimated(random_batch(Features(), (size, 1, size // 2, 0) * (n_graph // 4), seed=1), Features())


def test_the_two_views_of_jetclr_are_there_and_leave_the_jets_alone() -> None:
    """The published code moved its validation jets again in place every ten epochs."""
    batch = jets()
    before = [batch.nodes.clone(), batch.globals.clone(), batch.n_node.clone()]
    chains = (["rotate", "translate"], ["rotate", "collinear_split", "smear", "translate"])
    views = []
    for view, chain in enumerate(chains):
        out = batch
        for place, name in enumerate(chain):
            out = build(name, Features(), **PUBLISHED[name])(out, RandomStream(seed=1, epoch=0, view=view, place=place))
        views.append(out.check())
    assert all(torch.equal(a, b) for a, b in zip(before, (batch.nodes, batch.globals, batch.n_node), strict=True))
    assert torch.equal(views[0].n_node, batch.n_node) and torch.equal(views[1].n_node, 2 * batch.n_node)
    for out in views:
        total, kept = (
            torch.zeros(batch.n_graph).double().index_add(0, b.graph_index, b.nodes[:, 0].double())
            for b in (batch, out)
        )
        assert torch.equal(total, kept)


@pytest.mark.parametrize("name", ["rotate", "translate", "smear", "collinear_split"])
def test_nothing_is_drawn_from_a_global_generator(name: str) -> None:
    augmentation, batch, draws = build(name, Features()), jets(), RandomStream(seed=1, epoch=1)
    torch.manual_seed(1)
    state, first = torch.get_rng_state(), augmentation(batch, draws)
    assert torch.equal(state, torch.get_rng_state())
    torch.manual_seed(2)
    assert torch.equal(first.nodes, augmentation(batch, draws).nodes)


@pytest.mark.parametrize("name", ALL)
def test_a_jet_is_treated_alike_beside_a_much_larger_one(name: str) -> None:
    """Padded code moved or split its empty slots and measured with them, so a result depended on the longest jet."""
    batch = jets()
    large = collimated(random_batch(Features(), (90,), seed=9), Features())
    assert large.ids is not None and batch.ids is not None
    both = Batch.of(
        torch.cat([large.nodes, batch.nodes]),
        torch.cat([large.n_node, batch.n_node]),
        ids=torch.cat([large.ids + 10**6, batch.ids]),
    )
    draws = RandomStream(seed=3, epoch=1)
    augmentation = build(name, Features())
    alone, beside = augmentation(batch, draws), augmentation(both, draws)
    assert torch.equal(beside.n_node[1:], alone.n_node)
    assert torch.equal(beside.nodes[int(beside.n_node[0]) :], alone.nodes)


@pytest.mark.parametrize("name", ["rotate", "translate", "smear"])
def test_links_of_a_chain_draw_independently(name: str) -> None:
    batch = collimated(random_batch(Features(), (2,) * 3000, seed=2), Features())
    augmentation = build(name, Features())
    moves = []
    for changes in ({}, {"place": 1}, {"view": 1}, {"epoch": 2}, {"seed": 2}):
        out = augmentation(batch, dataclasses.replace(RandomStream(seed=1, epoch=1), **changes))
        moves.append((out.nodes - batch.nodes)[:, 1].double() * batch.nodes[:, 0].clamp(min=0.1) ** (name == "smear"))
    correlation = torch.corrcoef(torch.stack(moves))
    # A rotation moves a constituent by x (cos - 1) + ..., which has x in common.
    limit = 0.6 if name == "rotate" else 5.0 / math.sqrt(len(batch.nodes) / 2)
    assert float((correlation - torch.eye(5)).abs().max()) < limit


def masses(batch: Batch, features: Features) -> torch.Tensor:
    pt, eta, phi, energy = (
        batch.nodes[:, [features.column(name) for name in ("pt", "eta", "phi", "energy")]].double().unbind(1)
    )
    rows = torch.stack([energy, pt * phi.cos(), pt * phi.sin(), pt * eta.sinh()], 1)
    total = torch.zeros(batch.n_graph, 4).double().index_add(0, batch.graph_index, rows)
    return (total[:, 0] ** 2 - (total[:, 1:] ** 2).sum(1)).clamp(min=0.0).sqrt()


@pytest.mark.parametrize(
    ("name", "width"), [("rotate", 0.05), ("translate", 0.003), ("smear", 0.15), ("collinear_split", 1e-4)]
)
def test_masses_of_real_jets_hardly_change(real_data: Path, name: str, width: float) -> None:
    spec = load_spec("cms_nanoaod_v15_fatjets")
    features = spec.features()
    batch = build_graphs(read(real_data / "nanoaod" / "nano_tt_v15.root", spec), spec)
    out = build(name, features)(batch, RandomStream(seed=1, epoch=1)).check()
    before, after = masses(batch, features), masses(out, features)
    ratio = (after / before)[before > 1.0]  # GeV; a few jets have one constituent
    assert len(ratio) > 50
    assert abs(float(ratio.median()) - 1.0) < width / 2.0
    assert float((ratio - 1.0).abs().quantile(0.9)) < width


def test_the_documentation_names_all_with_their_options_and_its_example_works() -> None:
    page = Path(__file__).parents[3] / "docs" / "augmentations.md"
    if not page.is_file():
        pytest.skip("the tests run outside the checkout")
    text = page.read_text(encoding="utf-8")
    rows = {
        line.split("|")[2].strip().strip("`"): line
        for line in text.splitlines()
        if line.startswith("|") and "`" in line.split("|")[2]
    }
    for name in ALL:
        for option in set(config_class("augmentations", name, Allowed()).model_fields) - {"probability"}:
            assert f"`{option}`" in rows[name], f"{name} lacks {option}"
    example = yaml.safe_load(text.split("```yaml")[1].split("```")[0])
    for chain in example["objective"]["views"]:
        for link in chain:
            options = {key: value for key, value in link.items() if key != "name"} if isinstance(link, dict) else {}
            assert build(link["name"] if isinstance(link, dict) else link, Features(), **options)


class AugmentationOf(Augmentation):
    """Any function, with anything declared."""

    def __init__(self, function: Callable[[Batch, RandomStream], Batch], *invariants: str) -> None:
        self.function, self.invariants = function, invariants  # type: ignore[misc]

    def __call__(self, batch: Batch, draws: RandomStream) -> Batch:
        return self.function(batch, draws)


def half(batch: Batch, draws: RandomStream) -> Batch:
    """Loses all nodes of some graphs."""
    return subgraph(batch, draws.uniform_nodes(batch, 0) < 0.5)


def first_kept(batch: Batch, draws: RandomStream) -> Batch:
    first = (
        torch.cat([torch.ones(1), batch.graph_index.diff()]).bool()
        if batch.total_node
        else torch.zeros(0, dtype=torch.bool)
    )
    return subgraph(batch, first | (draws.uniform_nodes(batch, 0) < 0.5))


def first_kept_and_charged(batch: Batch, draws: RandomStream) -> Batch:
    out = first_kept(batch, draws)
    nodes = out.nodes.clone()
    nodes[:, Features().column("charge")] += 0.25
    return out.replace(nodes=nodes)


def test_the_check_finds_what_a_change_of_nodes_gets_wrong() -> None:
    with pytest.raises(AssertionError, match="lost its last node"):
        check_augmentation(lambda features: AugmentationOf(half))
    check_augmentation(lambda features: AugmentationOf(first_kept, "pt", "charge"))
    with pytest.raises(AssertionError, match="sum_pt is declared"):
        check_augmentation(lambda features: AugmentationOf(first_kept, "sum_pt"))
    with pytest.raises(AssertionError, match="charge is declared"):
        check_augmentation(lambda features: AugmentationOf(first_kept_and_charged, "pt", "charge"))


def test_what_is_meant_for_jets_is_held_to_its_word_on_jets() -> None:
    plain = build("rotate", Features())
    check_augmentation(lambda features: AugmentationOf(plain, "pt"))
    with pytest.raises(AssertionError, match="delta_r is declared"):  # events reach around the beam
        check_augmentation(lambda features: AugmentationOf(plain, "delta_r"))
