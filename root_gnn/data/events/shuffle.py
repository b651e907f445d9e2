"""A reproducible random order of any number of events that needs the memory of one window only.

Events are cut into blocks of neighbours in the files. Of each run of as many consecutive blocks as there are windows,
every window gets one block, drawn anew every epoch, and the events of a window are permuted. So each window is a fair
sample of all files and classes, whatever their order, and never more than one window of the order is in memory.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from root_gnn.typing import Index

WINDOW = 2**20
BLOCKS_PER_WINDOW = 256
"""Few enough that a block is one read, many enough that every class has its share of a window."""


class Order:
    """One epoch's order of the numbers `0 .. n - 1`, which depends on `(seed, epoch)` and the sizes only.

    If all numbers fit in one window it is a uniform permutation; otherwise windows have about `window` numbers each.
    """

    def __init__(self, n: int, *, seed: int, epoch: int, window: int = WINDOW, block: int | None = None) -> None:
        """Assigns blocks to windows.

        Args:
            n: number of numbers.
            seed: seed of the order.
            epoch: number of the epoch.
            window: approximate largest number of numbers in one window.
            block: number of neighbours that stay in one window; by default a 256th of the window.
        """
        self.n, self.seed, self.epoch = n, seed, epoch
        self.n_window = max(1, -(-n // window))
        if self.n_window == 1:
            self.ends = np.array([n], dtype=np.int64)
            return
        self.block = min(window, block or max(1, window // BLOCKS_PER_WINDOW))
        n_block = -(-n // self.block)
        stretches = np.broadcast_to(
            np.arange(self.n_window, dtype=np.int32), (-(-n_block // self.n_window), self.n_window)
        )
        self._window_of = np.random.default_rng((seed, epoch)).permuted(stretches, axis=1).reshape(-1)[:n_block]
        size = np.bincount(self._window_of, minlength=self.n_window) * self.block
        size[self._window_of[-1]] -= n_block * self.block - n  # the last block may be shorter
        self.ends = np.cumsum(size)

    def window(self, i_window: int) -> Index:
        """Returns the numbers of window `i_window`, in the order of the epoch."""
        if self.n_window == 1:
            return np.random.default_rng((self.seed, self.epoch)).permutation(self.n)
        begin = np.flatnonzero(self._window_of == i_window) * self.block
        numbers = (begin[:, None] + np.arange(self.block)).reshape(-1)
        if begin[-1] + self.block > self.n:
            numbers = numbers[: self.n - begin[-1] - self.block]
        return np.random.default_rng((self.seed, self.epoch, i_window)).permutation(numbers)

    def cut(self, start: int, stops: Iterable[int]) -> Iterator[Index]:
        """Yields the order from `start` on, cut at each of `stops` (ascending); earlier windows are not computed."""
        i_window = int(np.searchsorted(self.ends, start, side="right"))
        current: Index | None = None
        for stop in stops:
            parts = []
            while start < stop:
                if start == self.ends[i_window]:
                    i_window, current = i_window + 1, None
                if current is None:
                    current = self.window(i_window)
                end = int(self.ends[i_window])
                end_of_part = min(stop, end)
                parts.append(current[len(current) - (end - start) : len(current) - (end - end_of_part)])
                start = end_of_part
            yield parts[0] if len(parts) == 1 else np.concatenate(parts)
