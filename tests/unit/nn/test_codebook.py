"""Codebooks: k-means against clusters that are known, and the nearest centre by definition."""

from __future__ import annotations

import torch

from root_gnn.nn.codebook import Codebook


def test_separated_clusters_become_the_centres() -> None:
    generator = torch.Generator().manual_seed(1)
    true = torch.tensor([[0.0, 0.0], [10.0, 0.0], [0.0, 10.0]])
    cluster = torch.arange(300) % 3
    rows = true[cluster] + 0.1 * torch.randn(300, 2, generator=generator)
    book = Codebook(3, 2)
    assert not bool(book.is_fitted)
    book.fit(rows)
    assert bool(book.is_fitted)
    means = torch.stack([rows[cluster == k].mean(0) for k in range(3)])
    nearest = torch.cdist(book.centres, means).argmin(1)
    assert sorted(nearest.tolist()) == [0, 1, 2]
    torch.testing.assert_close(book.centres, means[nearest], rtol=1e-5, atol=1e-5)


def test_a_row_gets_the_number_of_its_nearest_centre() -> None:
    book, rows = Codebook(7, 3), torch.randn(50, 3, generator=torch.Generator().manual_seed(2))
    assert torch.equal(book(rows), torch.cdist(rows, book.centres).argmin(1))


def test_fewer_different_rows_than_centres_and_the_same_seed() -> None:
    rows = torch.tensor([[1.0, 2.0], [3.0, 4.0]]).repeat(5, 1)
    first, second = Codebook(4, 2), Codebook(4, 2)
    first.fit(rows, seed=3)
    second.fit(rows, seed=3)
    assert torch.equal(first.centres, second.centres)
    assert bool(torch.cdist(first.centres, rows[:2]).min(1).values.eq(0).all())
