"""What every plug-in must do, as functions that a plug-in's author calls in a test of their own.

    from root_gnn.testing import check_encoder
    from my_package import my_network

    def test_my_network():
        check_encoder(my_network.Config().build)

Each raises AssertionError with a sentence about what is wrong. They run on one CPU in about a second.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar, final

import torch
from torch import Tensor, nn

from root_gnn.graph.batch import Batch
from root_gnn.graph.features import Features
from root_gnn.graph.random_stream import RandomStream
from root_gnn.graph.scaling import Scaling
from root_gnn.graph.segment import segment_mean, segment_sum
from root_gnn.kinematics.angles import wrap_phi
from root_gnn.kinematics.fourvectors import energy_of
from root_gnn.kinematics.pairs import KNOWN, pair_features
from root_gnn.protocols import Augmentation, Encoder, Head, Masked, Objective, Question, Supervised
from root_gnn.testing.leak import check_hidden
from root_gnn.testing.shapes import shapes_are_fixed

SIZES = (5, 1, 3, 0, 8, 2)  # one node and none among them
SLOTS = ("higgs", "top1", "top2", "W", "Z")
QUESTION = Question(
    classes=("first", "second", "third"),
    truth=tuple(f"{slot}_{quantity}" for slot in SLOTS for quantity in ("exists", "pt", "eta", "phi", "m")),
)

M = TypeVar("M", bound=nn.Module)


def check_encoder(
    build: Callable[[Features, Scaling], Encoder], *, features: Features | None = None, tolerance: float = 1e-6
) -> None:
    """Holds a new encoder to the contract of `protocols.Encoder`.

    Permuted nodes leave `globals` and permute `nodes`; graphs do not see each other, in value or in gradient; one node and
    none are fine; every parameter gets a gradient; bf16 stays finite; weights carry over through the state dict.
    `tolerance` is relative and absolute, in float64.
    """
    features = features or Features()
    batch = random_batch(features, SIZES, seed=1)
    scaling = Scaling.fit([random_batch(features, (6,) * 50, seed=2)], features)
    encoder = _build(lambda: build(features, scaling), seed=3)
    _check_every_gradient(encoder, lambda: _mixed(encoder(batch)))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        _finite("in bf16", _mixed(encoder(batch)))
    _check_shapes(encoder, encoder, lambda sizes: random_batch(features, sizes, seed=6))
    encoder, batch = encoder.double().eval(), _double(batch)
    before = _values(batch)
    out = encoder(batch)
    _same("the input batch was changed", before, _values(batch), 0.0)
    _check_output(encoder, batch, out)
    _same("two passes in evaluation mode differ", _representations(out), _representations(encoder(batch)), tolerance)
    _check_permutation(encoder, batch, out, tolerance)
    for graph in range(batch.n_graph):
        rows = batch.graph_index == graph
        alone = encoder(batch.select(torch.tensor([graph])))
        text = f"a graph of {SIZES[graph]} nodes alone and in a batch differ"
        _same(text, [out.nodes[rows], out.globals[graph : graph + 1]], _representations(alone), tolerance)
    _check_no_leak(encoder, batch)
    other = _build(lambda: build(features, scaling), seed=4).double().eval()
    other.load_state_dict(encoder.state_dict(), strict=True)
    _same(
        "loading the state dict does not carry the weights over",
        _representations(out),
        _representations(other(batch)),
        tolerance,
    )


def check_head(build: Callable[[int, int], Head], *, dim: int = 16, n_output: int = 3, tolerance: float = 1e-6) -> None:
    """Holds a new head to the contract of `protocols.Head`: shapes, order of nodes, one graph at a time, gradients, bf16."""
    head = _build(lambda: build(dim, n_output), seed=1)
    batch = _encoded(SIZES, dim)
    _check_every_gradient(head, lambda: _weighted(head(batch)))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        _finite("in bf16", _weighted(head(batch).float()))
    _check_shapes(head, head, lambda sizes: _encoded(sizes, dim))
    head, batch = head.double().eval(), _double(batch)
    logits, hidden = head(batch), head.hidden(batch)
    _require(
        logits.shape == (batch.n_graph, n_output), f"logits must be (n_graph, n_output), not {tuple(logits.shape)}"
    )
    _require(
        hidden.ndim == 2 and hidden.shape[0] == batch.n_graph,
        f"hidden must be (n_graph, hidden_dim), not {tuple(hidden.shape)}",
    )
    order = _shuffled(batch)
    if not head.ordered:
        _same(
            "the order of nodes changes the logits",
            [logits],
            [head(batch.replace(nodes=batch.nodes[order]))],
            tolerance,
        )
    for graph in range(batch.n_graph):
        alone = head(batch.select(torch.tensor([graph])))
        _same(
            f"a graph of {SIZES[graph]} nodes alone and in a batch differ",
            [logits[graph : graph + 1]],
            [alone],
            tolerance,
        )


def check_objective(build: Callable[[Encoder, Question], Objective], *, question: Question | None = None) -> None:
    """Holds a new objective to the contract of `protocols.Objective`.

    The loss is a finite scalar, negative weights and graphs without nodes included, under bf16 too, where it stays in float32; its
    gradient is finite and reaches the encoder; the batch stays as it was; the same seed gives the same loss; logits have names.
    """
    question = question or QUESTION
    batch = random_batch(question.features, SIZES * 3, seed=1, question=question)
    objective = _build(lambda: build(TinyEncoder(question.features), question), seed=2)
    before = _values(batch)
    with _seed(3):
        losses = objective(batch)
    _same("the input batch was changed", before, _values(batch), 0.0)
    _require("loss" in losses, f"the losses have no `loss`, only {', '.join(losses)}")
    for name, value in losses.items():
        _require(value.shape == (), f"{name} must be a scalar, not {tuple(value.shape)}")
        _finite(name, value)
    losses["loss"].backward()
    gradients = [parameter.grad for parameter in objective.encoder.parameters() if parameter.grad is not None]
    _require(any(bool((gradient != 0).any()) for gradient in gradients), "no gradient reaches the encoder")
    _finite("the encoder's gradient", *gradients)
    objective.after_step(0.5)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        half = objective(batch)["loss"]
    _finite("the loss in bf16", half)
    _require(
        half.dtype == torch.float32, f"under autocast to bf16 the loss must be computed in float32, not {half.dtype}"
    )
    objective.eval()
    with _seed(4):
        first = objective(batch)["loss"]
    with _seed(4):
        _same("the same seed gives another loss", [first], [objective(batch)["loss"]], 0.0)
    if isinstance(objective, Supervised):
        _check_supervised(objective, batch, first)
    if isinstance(objective, Masked):
        check_no_leak(build, question=question)  # type: ignore[arg-type]


def check_no_leak(build: Callable[[Encoder, Question], Masked], *, question: Question | None = None) -> None:
    """Holds an objective that hides nodes to hiding them: `root_gnn.testing.leak.check_hidden` on an encoder and a batch of its own."""
    question = question or QUESTION
    batch = random_batch(question.features, (12, 5, 1, 10, 0, 14, 11, 2), seed=1, question=question)
    check_hidden(_build(lambda: build(TinyEncoder(question.features), question), seed=2), batch)


def check_augmentation(build: Callable[[Features], Augmentation], *, features: Features | None = None) -> None:
    """Holds an augmentation to the contract of `protocols.Augmentation`, on events and on jets.

    It is pure; the same draws give the same bits, another epoch or view gives others; what happens to an event depends
    neither on its place in the batch nor on the others; labels, weights and ids stay with their graphs, and no graph loses its
    last node; what it declares as `invariants` stays to 1e-5.
    """
    features = features or Features()
    augmentation = build(features)
    events = random_batch(features, SIZES * 8, seed=1, question=QUESTION)
    for batch, meant in ((events, not augmentation.jets_only), (collimated(events, features), True)):
        out = _check_pure(augmentation, batch)
        _check_augmented(batch, out, features)
        if meant:
            exact = _double(batch)  # single precision says little about pairs that are close
            _check_invariants(
                augmentation.invariants, exact, augmentation(exact, RandomStream(seed=1, epoch=2)), features
            )


def collimated(batch: Batch, features: Features, *, radius: float = 0.8) -> Batch:
    """The same nodes moved within `radius` of a random axis of each graph: jets."""
    generator = torch.Generator().manual_seed(5)
    axis = torch.rand(batch.n_graph, 2, generator=generator)[batch.graph_index] * 2.0 - 1.0
    distance = radius * torch.rand(batch.total_node, generator=generator).sqrt()
    angle = 2.0 * torch.pi * torch.rand(batch.total_node, generator=generator)
    pt, eta, phi, energy = (features.column(name) for name in ("pt", "eta", "phi", "energy"))
    nodes = batch.nodes.clone()
    nodes[:, eta] = 2.0 * axis[:, 0] + distance * angle.cos()
    nodes[:, phi] = wrap_phi(torch.pi * axis[:, 1] + distance * angle.sin())
    nodes[:, energy] = energy_of(nodes[:, pt], nodes[:, eta], torch.full_like(distance, 0.14))
    return batch.replace(nodes=nodes)


def _encoded(sizes: Sequence[int], dim: int) -> Batch:
    """What a head reads: random representations of width `dim`."""
    generator = torch.Generator().manual_seed(2)
    plain = random_batch(Features(), sizes, seed=3)
    return plain.replace(
        nodes=torch.randn(plain.total_node, dim, generator=generator),
        globals=torch.randn(plain.n_graph, dim, generator=generator),
    )


def _check_shapes(
    part: Encoder | Head, network: Callable[[Batch], Any], batch_of: Callable[[Sequence[int]], Batch]
) -> None:
    training = part.training
    part.eval()
    _require(
        not part.fixed_shapes or shapes_are_fixed(network, batch_of),
        "fixed_shapes is true, and shapes of tensors change with the sizes of the graphs",
    )
    part.train(training)


def _check_pure(augmentation: Augmentation, batch: Batch) -> Batch:
    draws = RandomStream(seed=1, epoch=2)
    before = _values(batch)
    out = augmentation(batch, draws)
    _same("the input batch was changed", before, _values(batch), 0.0)
    _same("the same draws give another result", _values(out), _values(augmentation(batch, draws)), 0.0)
    for text, other in (
        ("epoch", RandomStream(seed=1, epoch=3)),
        ("view", RandomStream(seed=1, epoch=2, view=1)),
        ("seed", RandomStream(seed=2, epoch=2)),
    ):
        changed = augmentation(batch, other)
        same = all(
            a.shape == b.shape and torch.equal(a, b) for a, b in zip(_values(out), _values(changed), strict=True)
        )
        _require(not same, f"another {text} gives the same result")
    some = torch.randperm(batch.n_graph, generator=torch.Generator().manual_seed(3))
    for chosen in (some[: batch.n_graph // 2], *torch.arange(len(SIZES)).unsqueeze(1)):
        text = "what happens to a graph depends on its place or on the other graphs"
        _same(text, _values(out.select(chosen)), _values(augmentation(batch.select(chosen), draws)), 0.0)
    return out


def random_batch(features: Features, n_node: Sequence[int], *, seed: int, question: Question | None = None) -> Batch:
    """Random graphs of these sizes with plausible columns, weights of both signs, unique ids and the labels of `question`."""
    generator = torch.Generator().manual_seed(seed)
    count = torch.tensor(n_node, dtype=torch.int64)
    total, n_graph = int(count.sum()), count.shape[0]
    columns = _kinematics(total, generator)
    columns |= {
        "btag": torch.randint(2, (total,), generator=generator).float(),
        "charge": torch.randint(-1, 2, (total,), generator=generator).float(),
        "type": torch.randint(max(features.n_type, 1), (total,), generator=generator).float(),
    }
    nodes = [columns[name] if name in columns else torch.randn(total, generator=generator) for name in features.nodes]
    globals_ = [
        count.float() if name == "n_node" else torch.randn(n_graph, generator=generator) for name in features.globals
    ]
    labels = {} if question is None else _labels(question, n_graph, generator)
    return Batch.of(
        torch.stack(nodes, 1),
        count,
        globals=torch.stack(globals_, 1),
        labels=labels,
        weights=torch.rand(n_graph, generator=generator) + torch.where(torch.arange(n_graph) % 4 == 1, -1.0, 0.5),
        ids=torch.stack(
            [torch.randint(5, (n_graph,), generator=generator), torch.randperm(n_graph, generator=generator)], 1
        ),
    ).check()


@final
class TinyEncoder(Encoder):
    """The smallest encoder that keeps the contract: a layer on every node, and one on their mean. For tests of objectives."""

    def __init__(self, features: Features, dim: int = 16) -> None:
        super().__init__()
        self.dim = dim
        self.node = nn.Linear(len(features.nodes), dim)
        self.graph = nn.Linear(dim + len(features.globals), dim)

    def forward(self, batch: Batch) -> Batch:
        """See `Encoder.forward`."""
        nodes = torch.tanh(self.node(torch.asinh(batch.nodes)))
        mean = segment_mean(nodes, batch.graph_index, batch.n_node)
        return batch.replace(nodes=nodes, globals=torch.tanh(self.graph(torch.cat([mean, batch.globals], dim=1))))

    def layers(self, batch: Batch) -> dict[str, Tensor]:
        """`graph`: the representation."""
        return {"graph": self(batch).globals}


def _kinematics(total: int, generator: torch.Generator) -> dict[str, Tensor]:
    pt = torch.exp(4.0 + 0.7 * torch.randn(total, generator=generator))
    eta = (1.5 * torch.randn(total, generator=generator)).clamp(-4.5, 4.5)
    phi = (2.0 * torch.rand(total, generator=generator) - 1.0) * torch.pi
    mass = 10.0 * torch.rand(total, generator=generator)
    return {"pt": pt, "eta": eta, "phi": phi, "energy": torch.hypot(pt * torch.cosh(eta), mass)}


def _labels(question: Question, n_graph: int, generator: torch.Generator) -> dict[str, Tensor]:
    labels = {}
    if question.classes:
        labels["label"] = torch.randint(len(question.classes), (n_graph,), generator=generator)
    momenta = {"pt": 80.0, "eta": 2.0, "phi": 2.0 * torch.pi, "m": 100.0}
    for name in question.truth:
        quantity = name.rpartition("_")[2]
        value = torch.rand(n_graph, generator=generator)
        middle = 0.5 if quantity in ("eta", "phi") else 0.0
        labels[name] = (value - middle) * momenta[quantity] if quantity in momenta else value.round()
    return labels


def _check_output(encoder: Encoder, batch: Batch, out: Batch) -> None:
    _require(
        out.nodes.shape == (batch.total_node, encoder.dim),
        f"nodes must be (total_node, dim), not {tuple(out.nodes.shape)}",
    )
    _require(
        out.globals.shape == (batch.n_graph, encoder.dim),
        f"globals must be (n_graph, dim), not {tuple(out.globals.shape)}",
    )
    _require(torch.equal(out.n_node, batch.n_node) and out.n_edge == batch.n_edge, "the topology changed")
    kept = all(
        a is not None and b is not None and torch.equal(a, b)
        for a, b in ((out.ids, batch.ids), (out.weights, batch.weights))
    )
    _require(kept, "ids or weights were lost")
    _finite("the representations", *_representations(out))
    layers = encoder.layers(batch)
    _require(len(layers) > 0, "layers() names no representation")
    for name, rows in layers.items():
        _require(
            rows.ndim == 2 and rows.shape[0] == batch.n_graph,
            f"layer {name} must be (n_graph, layer_dim), not {tuple(rows.shape)}",
        )
        _finite(f"layer {name}", rows)


def _check_permutation(encoder: Encoder, batch: Batch, out: Batch, tolerance: float) -> None:
    order = _shuffled(batch)
    permuted = encoder(batch.replace(nodes=batch.nodes[order]))
    _same("the order of nodes changes globals", [out.globals], [permuted.globals], tolerance)
    _same("permuting the nodes does not permute their representations", [out.nodes[order]], [permuted.nodes], tolerance)


def _check_no_leak(encoder: Encoder, batch: Batch) -> None:
    for graph in range(batch.n_graph):
        leaf = batch.replace(nodes=batch.nodes.clone().requires_grad_())
        out = encoder(leaf)
        own = batch.graph_index == graph
        _mixed(out.replace(nodes=out.nodes[own], globals=out.globals[graph : graph + 1])).backward()  # type: ignore[no-untyped-call]
        gradient = leaf.nodes.grad
        leaked = gradient is not None and bool((gradient[~own] != 0).any())
        _require(not leaked, "the representation of one graph depends on the nodes of another")


def _check_supervised(objective: Supervised, batch: Batch, loss: Tensor) -> None:
    logits, names = objective.logits(batch), objective.outputs()
    _require(
        logits.shape == (batch.n_graph, len(names)),
        f"logits are {tuple(logits.shape)} for {len(names)} outputs: {', '.join(names)}",
    )
    _require(len(set(names)) == len(names), f"outputs share a name: {', '.join(names)}")
    reverse = torch.arange(batch.n_graph - 1, -1, -1)
    _same("the order of graphs changes the logits", [logits[reverse]], [objective.logits(batch.select(reverse))], 1e-5)
    _same("the order of graphs changes the loss", [loss], [objective(batch.select(reverse))["loss"]], 1e-4)


def _check_augmented(batch: Batch, out: Batch, features: Features) -> None:
    out.check()
    _require(out.n_graph == batch.n_graph, "the number of graphs changed")
    _require(out.nodes.shape[1] == batch.nodes.shape[1], "the number of node columns changed")
    _require(torch.equal(out.n_node > 0, batch.n_node > 0), "a graph lost its last node, or one without nodes got some")
    kept = all(
        a is not None and b is not None and torch.equal(a, b)
        for a, b in ((out.ids, batch.ids), (out.weights, batch.weights))
    )
    _require(kept, "ids or weights changed")
    _require(set(out.labels) == set(batch.labels), "labels were lost or added")
    if "phi" in features.nodes:
        _require(bool((out.nodes[:, features.column("phi")].abs() <= torch.pi + 1e-5).all()), "phi left [-pi, pi]")
    if "n_node" in features.globals:
        counted = out.globals[:, features.globals.index("n_node")]
        _require(torch.equal(counted, out.n_node.to(counted.dtype)), "the global n_node is not the number of nodes")


def _check_invariants(names: Sequence[str], batch: Batch, out: Batch, features: Features) -> None:
    kinematic = [features.column(name) for name in ("pt", "eta", "phi", "energy")]
    senders, receivers = batch.edge_index()
    same_nodes = torch.equal(out.n_node, batch.n_node)
    for name in names:
        total = name.removeprefix("sum_")
        if total != name:
            before, after = (
                segment_sum(x.nodes[:, [features.column(total)]].double(), x.graph_index, x.n_graph)
                for x in (batch, out)
            )
        elif name in features.nodes:
            column = features.column(name)
            before, after = batch.nodes[:, column], out.nodes[:, column]
            if not same_nodes:  # every value is one that a node of this graph had
                before = _nearest(after, out, before, batch)
        elif name in KNOWN and same_nodes:
            before, after = (
                pair_features(x.nodes[senders][:, kinematic], x.nodes[receivers][:, kinematic], [name])[:, 0]
                for x in (batch, out)
            )
        else:
            continue  # a column of other data than these
        difference = (
            torch.remainder(after - before + torch.pi, 2 * torch.pi) - torch.pi if "phi" in name else after - before
        )
        _require(
            bool((difference.abs() <= 1e-5 * (1.0 + before.abs())).all()), f"{name} is declared invariant and changed"
        )


def _nearest(values: Tensor, out: Batch, before: Tensor, batch: Batch) -> Tensor:
    distance = (values.unsqueeze(1) - before.unsqueeze(0)).abs()
    distance[out.graph_index.unsqueeze(1) != batch.graph_index.unsqueeze(0)] = torch.inf
    return before[distance.argmin(dim=1)]


def _check_every_gradient(module: nn.Module, scalar: Callable[[], Tensor]) -> None:
    with _seed(5):
        scalar().backward()  # type: ignore[no-untyped-call]
    for name, parameter in module.named_parameters():
        _require(
            parameter.grad is not None and bool((parameter.grad != 0).any()), f"the parameter {name} gets no gradient"
        )
        if parameter.grad is not None:
            _finite(f"the gradient of {name}", parameter.grad)
    module.zero_grad()


def _build(make: Callable[[], M], *, seed: int) -> M:
    with _seed(seed):
        return make()


@contextmanager
def _seed(seed: int) -> Iterator[None]:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield


def _shuffled(batch: Batch) -> Tensor:
    key = torch.rand(batch.total_node, generator=torch.Generator().manual_seed(7), dtype=torch.float64)
    return torch.argsort(batch.graph_index + key)


def _double(batch: Batch) -> Batch:
    return batch.replace(nodes=batch.nodes.double(), globals=batch.globals.double())


def _representations(batch: Batch) -> list[Tensor]:
    return [batch.nodes, batch.globals]


def _values(batch: Batch) -> list[Tensor]:
    optional = [
        tensor
        for tensor in (batch.weights, batch.ids, batch.senders, batch.receivers, batch.edges)
        if tensor is not None
    ]
    return [
        tensor.detach().clone()
        for tensor in (batch.nodes, batch.globals, batch.n_node, *optional, *batch.labels.values())
    ]


def _mixed(batch: Batch) -> Tensor:
    return _weighted(batch.nodes.float()) + _weighted(batch.globals.float())


def _weighted(rows: Tensor) -> Tensor:
    generator = torch.Generator().manual_seed(11)
    return (rows * torch.randn(rows.shape, generator=generator).to(rows.dtype)).sum()


def _same(text: str, expected: Sequence[Tensor], got: Sequence[Tensor], tolerance: float) -> None:
    for a, b in zip(expected, got, strict=True):
        _require(a.shape == b.shape, f"{text}: {tuple(a.shape)} and {tuple(b.shape)}")
        difference = float((a.detach().double() - b.detach().double()).abs().max()) if a.numel() else 0.0
        scale = float(a.detach().double().abs().max()) if a.numel() else 0.0
        _require(difference <= tolerance * (1.0 + scale), f"{text}: by {difference:.2e}")


def _finite(text: str, *tensors: Tensor) -> None:
    _require(all(bool(torch.isfinite(tensor).all()) for tensor in tensors), f"NaN or infinity: {text}")


def _require(holds: bool, text: str) -> None:
    if not holds:
        raise AssertionError(text)
