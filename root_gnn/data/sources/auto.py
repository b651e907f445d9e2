"""Any file that another source recognises; what a data spec reads that names no source."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from root_gnn.data.formats.sniff import offers
from root_gnn.errors import InputError
from root_gnn.protocols import Source, SourceConfig


class Config(SourceConfig):
    """A file of any format: the most likely of its trees or tables."""

    @contextmanager
    def open(self, path: Path) -> Iterator[Source]:
        """The tree or table of a file; raises InputError where no source can read the file, or it holds none."""
        offered = offers(path)
        if not offered:
            raise InputError(f"{path}: there is no tree or table in this file.")
        with offered[0].open(path) as source:
            yield source

    @classmethod
    def found_in(cls, path: Path) -> list[Self]:
        """The one source there is; raises InputError where no source can read the file."""
        return [cls()] if offers(path) else []
