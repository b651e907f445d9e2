"""Linear CKA from products of features beside the two forms with kernel matrices, biased, in float64.

    python benchmarks/linear_cka.py --out linear_cka.json

`H K H` multiplies the kernel matrix with the centring matrix from both sides (Kornblith et al. 2019, arXiv:1905.00414),
the centred Gram form takes the means of rows, of columns and of everything away, as one writes it; `in place` is the
shortest form of that, which uses that kernels are symmetric and makes no new matrix. All values are compared before.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray

from root_gnn.bench.case import Bench, agree, run_case
from root_gnn.bench.row import Row
from root_gnn.similarity.cka import cka

N_EVENT, DIM, N_SMALL = 4000, 64, 200
Floats = NDArray[np.float64]


def from_kernels(first: Floats, second: Floats) -> float:
    """CKA of two centred kernel matrices."""
    return float((first * second).sum() / (np.linalg.norm(first) * np.linalg.norm(second)))


def hkh(x: Floats, y: Floats) -> float:
    """With products of whole matrices."""
    centring = np.eye(len(x)) - 1.0 / len(x)
    return from_kernels(centring @ (x @ x.T) @ centring, centring @ (y @ y.T) @ centring)


def centred_gram(x: Floats, y: Floats) -> float:
    """With means of rows, of columns and of all."""

    def centred(kernel: Floats) -> Floats:
        result: Floats = kernel - kernel.mean(axis=0) - kernel.mean(axis=1)[:, None] + kernel.mean()
        return result

    return from_kernels(centred(x @ x.T), centred(y @ y.T))


def in_place(x: Floats, y: Floats) -> float:
    """With means of columns, which are those of rows, in the kernel's own memory."""

    def centred(kernel: Floats) -> Floats:
        means = kernel.mean(axis=0)
        means -= means.mean() / 2.0
        kernel -= means
        kernel -= means[:, None]
        return kernel

    return from_kernels(centred(x @ x.T), centred(y @ y.T))


def results(bench: Bench) -> Iterator[Row]:
    """One row for each of the three."""
    rng, n_event = np.random.default_rng(1), N_SMALL if bench.quick else N_EVENT
    x = rng.normal(size=(n_event, DIM)) @ rng.normal(size=(DIM, DIM)) + 5.0
    y = np.tanh(0.1 * x @ rng.normal(size=(DIM, DIM))) + 3.0
    forms = {
        "root_gnn": lambda: cka(x, y, estimator="biased_linear"),
        "H K H": lambda: hkh(x, y),
        "centred Gram": lambda: centred_gram(x, y),
        "centred Gram, in place": lambda: in_place(x, y),
    }
    values = torch.tensor([form() for form in forms.values()], dtype=torch.float64)
    difference = agree("CKA", values[:1].expand(len(forms) - 1), values[1:], 1e-10)
    targets = {"H K H": 1000.0, "centred Gram": 100.0, "centred Gram, in place": None}
    for other, target in targets.items():
        yield from bench.compare(
            f"{n_event} events, {DIM} features",
            {name: forms[name] for name in ("root_gnn", other)},
            ours=["root_gnn"],
            amount=1,
            unit="values",
            difference=difference,
            targets=target,
            warm_up=1 if bench.quick else 2,
        )


if __name__ == "__main__":
    sys.exit(run_case(results, __doc__))
