"""A random order of any number of events in the memory of one window, the same whenever it is asked for.

Events are cut into blocks that stand together in the files. Every stretch of as many neighbouring blocks as there are windows
gives one block to each window, drawn anew every epoch, and the events of a window are permuted. So each window is a fair
sample of all files and classes, whatever order they are in, and no more of the order than one window is ever in memory.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from root_gnn.typing import Index

WINDOW = 2**20
BLOCKS_PER_WINDOW = (
    256  # few enough that a block is read in one go, many enough that every class has its share of a window
)


class Order:
    """One epoch's order of the numbers `0 .. n - 1`, a function of `(seed, epoch)` and of the sizes alone.

    Where all numbers fit in one window it is a permutation like any other; else windows are of about `window` numbers.

    Args:
        n: how many numbers.
        window: the most numbers in one window, roughly.
        block: neighbours that stay in one window; a 256th of the window unless given.
    """

    def __init__(self, n: int, *, seed: int, epoch: int, window: int = WINDOW, block: int | None = None) -> None:
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

    def window(self, place: int) -> Index:
        """The numbers of one window, in order."""
        if self.n_window == 1:
            return np.random.default_rng((self.seed, self.epoch)).permutation(self.n)
        begin = np.flatnonzero(self._window_of == place) * self.block
        numbers = (begin[:, None] + np.arange(self.block)).reshape(-1)
        if begin[-1] + self.block > self.n:
            numbers = numbers[: self.n - begin[-1] - self.block]
        return np.random.default_rng((self.seed, self.epoch, place)).permutation(numbers)

    def cut(self, start: int, stops: Iterable[int]) -> Iterator[Index]:
        """The order from `start` on, cut at each of `stops` (ascending); windows before `start` are not made."""
        place = int(np.searchsorted(self.ends, start, side="right"))
        here: Index | None = None
        for stop in stops:
            parts = []
            while start < stop:
                if start == self.ends[place]:
                    place, here = place + 1, None
                if here is None:
                    here = self.window(place)
                end = int(self.ends[place])
                until = min(stop, end)
                parts.append(here[len(here) - (end - start) : len(here) - (end - until)])
                start = until
            yield parts[0] if len(parts) == 1 else np.concatenate(parts)
