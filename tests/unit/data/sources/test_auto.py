"""A spec without a source, and a source that is added as one file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

import root_gnn as rg
from root_gnn.data.formats.sniff import format_of, refuse_other_formats, without_ending
from root_gnn.data.inspection.inspect import inspect
from root_gnn.errors import InputError
from root_gnn.runs.prepare import prepare

TINY_SOURCE = '''
"""Text with a line of names behind the word TINY, and a line of numbers for each entry."""

from contextlib import contextmanager
from typing import ClassVar

import awkward as ak
import numpy as np

from root_gnn.data.formats.sniff import refuse_other_formats
from root_gnn.protocols import Source, SourceConfig


class Config(SourceConfig):
    formats: ClassVar = ("TINY",)
    magic: ClassVar = (b"TINY",)
    endings: ClassVar = (".tiny",)

    @contextmanager
    def open(self, path):
        refuse_other_formats(path, "TINY")
        yield Tiny(path.read_text().splitlines())

    @classmethod
    def found_in(cls, path):
        return [cls()]


class Tiny(Source):
    def __init__(self, lines):
        self.branches = tuple(lines[0].split()[1:])
        self.values = np.array([line.split() for line in lines[1:]], dtype=float)
        self.n_entry = len(self.values)

    def read(self, branches, start, stop):
        return {name: ak.Array(self.values[start:stop, self.branches.index(name)]) for name in branches}

    def chunks(self, branches):
        yield 0, self.n_entry

    def type_of(self, branch):
        return "float64"
'''
TINY_SPEC = """
name: tiny
nodes:
  lepton: {type: 1, single: true, features: {pt: lep_pt, eta: lep_eta, phi: lep_phi}}
"""


def test_a_spec_without_a_source_reads_the_most_likely_tree(
    write_tree: Callable[..., Path], small_columns: dict[str, Any], small_spec: dict[str, Any], tmp_path: Path
) -> None:
    path = write_tree(small_columns)
    spec = tmp_path / "spec.yaml"
    spec.write_text(yaml.safe_dump({key: value for key, value in small_spec.items() if key != "source"}))
    assert rg.read(path, rg.load_spec(spec)).jet.pt.tolist() == small_columns["jet_pt"].tolist()
    path.write_bytes(b"<html>")
    with pytest.raises(InputError, match=r"file\.root: .* it is an HTML page"):
        rg.read(path, rg.load_spec(spec))


def test_a_format_in_one_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, add_plugin: Callable[[str, str, str], None]
) -> None:
    """One file with a source: the format is read, inspected, prepared and named in messages."""
    data = tmp_path / "data"
    data.mkdir()
    file, spec, unknown = data / "one.tiny", tmp_path / "tiny.yaml", data / ".unknown"
    file.write_text("TINY lep_pt lep_eta lep_phi\n50 0.5 3\n40 -1 2\n30 0 1\n")
    spec.write_text(TINY_SPEC)
    (data / "broken.tiny").write_bytes(b"")
    (data / "other.csv").write_text("a,b\n1,2\n")
    unknown.write_bytes(bytes(range(256)))
    with pytest.raises(InputError, match="ROOT, HDF5, parquet, npz, LHE or CSV file was expected"):
        inspect(unknown)
    add_plugin("data.sources", "tiny", TINY_SOURCE)

    assert format_of(file) == "TINY"
    assert rg.read(file, rg.load_spec(spec)).lepton.pt.tolist() == [50, 40, 30]
    description = inspect(file)
    assert (description.format, description.trees) == ("TINY", {"": 3})
    for path in (unknown, data / "broken.tiny"):
        with pytest.raises(InputError, match="a ROOT, HDF5, parquet, npz, LHE, TINY or CSV file was expected"):
            inspect(path)
    with pytest.raises(InputError, match="a ROOT file was expected; it is TINY"):
        refuse_other_formats(file, "ROOT")
    assert without_ending(file.name) == "one"

    (data / "broken.tiny").unlink()
    monkeypatch.setenv("ROOT_GNN_CACHE", str(tmp_path / "cache"))
    spec.write_text(TINY_SPEC + "source: tiny\n")
    assert [shard.meta.n_graph for shard in prepare(spec, data_dir=data)[0].shards] == [3]
