"""The columnar cache: one folder (a shard) per file, with memory-mapped `.npy` arrays and a manifest, written last.

A shard holds `nodes (total_node, node_dim)` float32, `offsets (n_graph + 1,)` int64, `ids (n_graph, n_id)` int64,
`weight (n_graph,)` float64 and `truth (n_graph, n_truth)` float32. Where the spec has them it also holds
`label (n_graph,)` int64, `globals (n_graph, n_global)` float32 and `split (n_graph,)` int8, and where graphs and
entries of the file do not correspond one to one, `entry (n_graph,)` int64. Entries without any object become graphs
without nodes.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray
from xxhash import xxh3_64

from root_gnn.atomic import write_text
from root_gnn.data.cache.mapping import mapped
from root_gnn.data.reading.columns import fill_columns
from root_gnn.data.reading.findings import Findings
from root_gnn.data.reading.graphs import GraphArrays
from root_gnn.data.spec.spec import Spec

FORMAT = 4  # raised when the meaning of the arrays changes; older caches are built again
META = "meta.json"
BLOCK = 2**24


@dataclass(frozen=True, kw_only=True)
class Meta:
    """The manifest of a shard, `meta.json`; momenta and energies are in GeV, angles in radians.

    `sum_of_weights` is over the graphs in the shard, `sum_of_weights_read` over all that were read, before selection.
    """

    format: int
    spec: str
    spec_digest: str
    source: Mapping[str, Any]
    versions: Mapping[str, str]
    n_graph: int
    n_node: int
    n_empty: int
    sum_of_weights: float
    sum_of_weights_read: float
    node_features: tuple[str, ...]
    id_names: tuple[str, ...]
    n_split_id: int
    truth: tuple[str, ...]
    arrays: Mapping[str, Mapping[str, Any]]
    findings: Mapping[str, Any]
    metadata: Mapping[str, Any] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=lambda: {"momentum": "GeV", "angle": "rad"})

    @classmethod
    def load(cls, folder: Path) -> Meta | None:
        """Reads the manifest of a shard; returns None if there is none or it cannot be parsed."""
        try:
            content = json.loads((folder / META).read_text(encoding="utf-8"))
            lists = {name: tuple(content[name]) for name in ("node_features", "id_names", "truth")}
            return cls(**{**content, **lists})
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def text(self) -> str:
        """Returns the content of `meta.json`."""
        return json.dumps(asdict(self), indent=1, allow_nan=False) + "\n"

    def save(self, folder: Path) -> None:
        """Replaces `meta.json`."""
        write_text(folder / META, self.text())


class Shard:
    """The prepared graphs of one file; its arrays are mapped on first use and never copied to another process."""

    def __init__(self, folder: Path, meta: Meta) -> None:
        """Describes the shard in `folder`; no array is read yet."""
        self.folder, self.meta = folder, meta

    def __getstate__(self) -> dict[str, Any]:
        return {"folder": self.folder, "meta": self.meta}

    def __repr__(self) -> str:
        return f"Shard({self.folder.name}, {self.meta.n_graph:,} events, {self.meta.n_node:,} nodes)"

    @property
    def n_graph(self) -> int:
        """Number of graphs."""
        return self.meta.n_graph

    @cached_property
    def nodes(self) -> NDArray[np.float32]:
        """Node features, `(total_node, node_dim)`."""
        array: NDArray[np.float32] = self._array("nodes")
        return array

    @cached_property
    def offsets(self) -> NDArray[np.int64]:
        """First rows, `(n_graph + 1,)`: graph `g` owns the rows `offsets[g] .. offsets[g + 1] - 1` of `nodes`."""
        array: NDArray[np.int64] = self._array("offsets")
        return array

    @cached_property
    def ids(self) -> NDArray[np.int64]:
        """Ids of the events, `(n_graph, n_id)`, columns `meta.id_names`."""
        array: NDArray[np.int64] = self._array("ids")
        return array

    @cached_property
    def weight(self) -> NDArray[np.float64]:
        """Event weights, `(n_graph,)`."""
        array: NDArray[np.float64] = self._array("weight")
        return array

    @cached_property
    def truth(self) -> NDArray[np.float32]:
        """Truth labels, `(n_graph, n_truth)`, columns `meta.truth`."""
        array: NDArray[np.float32] = self._array("truth")
        return array

    @cached_property
    def label(self) -> NDArray[np.int64] | None:
        """Class of each graph, `(n_graph,)`; None if the spec has no label."""
        return self._array("label") if "label" in self.meta.arrays else None

    @cached_property
    def globals(self) -> NDArray[np.float32]:
        """Features of whole graphs, `(n_graph, n_global)`, columns as in the spec's `globals`."""
        if "globals" not in self.meta.arrays:
            return np.zeros((self.n_graph, 0), dtype=np.float32)
        array: NDArray[np.float32] = self._array("globals")
        return array

    @cached_property
    def split(self) -> NDArray[np.int8] | None:
        """Split of each graph, `(n_graph,)`: 0 train, 1 validation, 2 test; None if the spec names no branch for it."""
        return self._array("split") if "split" in self.meta.arrays else None

    @cached_property
    def entry(self) -> NDArray[np.int64]:
        """Entry of the file that each graph was made of, `(n_graph,)`."""
        array: NDArray[np.int64] = (
            self._array("entry") if "entry" in self.meta.arrays else np.arange(self.n_graph, dtype=np.int64)
        )
        return array

    def _array(self, name: str) -> Any:
        shape = self.meta.arrays[name]["shape"]
        if not all(shape):  # an empty file cannot be mapped
            return np.zeros(shape, dtype=self.meta.arrays[name]["dtype"])
        return mapped(self.folder / f"{name}.npy")

    def damage(self) -> str | None:
        """Reads all files of the shard and says what is wrong (size, layout or checksum); None if nothing is."""
        for name, facts in self.meta.arrays.items():
            file = self.folder / f"{name}.npy"
            try:
                if file.stat().st_size != facts["bytes"]:
                    return f"{file.name} has {file.stat().st_size} bytes, {facts['bytes']} were written"
            except OSError as error:
                return f"{file.name}: {error.strerror}"
            if _checksum(file, facts) != facts["xxh3"]:
                return f"{file.name} has another checksum than when it was written"
        return None


class ShardWriter:
    """Writes a new shard piece by piece, so that only one piece of the file is in memory."""

    def __init__(self, folder: Path, spec: Spec) -> None:
        """Starts an empty shard in `folder`."""
        self.folder, self.spec = folder, spec
        self.arrays: dict[str, _Growing] = {}
        self.n_graph = self.n_node = self.n_empty = 0
        self.truth: tuple[str, ...] = ()
        self.sum_of_weights = 0.0

    def __enter__(self) -> ShardWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for array in self.arrays.values():
            array.file.close()

    def append(self, graphs: GraphArrays) -> None:
        """Appends the next graphs of the file."""
        ids, weight = graphs.ids, graphs.weight
        if ids is None or weight is None:
            raise ValueError("a shard is made of records with ids and weights, as `read` gives them")
        self.truth = tuple(graphs.truth)
        n_graph = len(graphs.n_node)
        # Offsets begin with one zero for the whole file; each piece adds the ends of its graphs.
        begin = np.zeros(1 if self.n_graph == 0 else 0, dtype=np.int64)
        self._grow("nodes", graphs.nodes)
        self._grow("offsets", np.concatenate([begin, self.n_node + np.cumsum(graphs.n_node)]))
        self._grow("ids", ids)
        self._grow("weight", weight)
        self._grow(
            "truth", fill_columns(list(graphs.truth.values()), np.empty((n_graph, len(self.truth)), dtype=np.float32))
        )
        own = {"label": graphs.label, "globals": graphs.globals, "split": graphs.split}
        for name, column in {**own, "entry": None if self.spec.keeps_entries else graphs.entry}.items():
            if column is not None:
                self._grow(name, column)
        self.n_graph += n_graph
        self.n_node += len(graphs.nodes)
        self.n_empty += int((graphs.n_node == 0).sum())
        self.sum_of_weights += float(weight.sum())

    def finish(
        self,
        *,
        source: Mapping[str, Any],
        versions: Mapping[str, str],
        metadata: Mapping[str, Any],
        findings: Findings | None = None,
    ) -> Meta:
        """Closes the arrays and writes the manifest."""
        findings = findings or Findings(n_entry=self.n_graph, n_graph=self.n_graph, sum_of_weights=self.sum_of_weights)
        arrays = {name: array.close() for name, array in self.arrays.items()}
        meta = Meta(
            format=FORMAT,
            spec=self.spec.name,
            spec_digest=self.spec.digest(),
            source=source,
            versions=versions,
            n_graph=self.n_graph,
            n_node=self.n_node,
            n_empty=self.n_empty,
            sum_of_weights=self.sum_of_weights,
            sum_of_weights_read=findings.sum_of_weights,
            findings=findings.as_mapping(),
            node_features=self.spec.node_features,
            id_names=self.spec.id_names,
            n_split_id=self.spec.n_split_id,
            truth=self.truth,
            arrays=arrays,
            metadata=metadata,
        )
        # No fsync: the folder is moved into place whole, and checksums reveal what a power cut may have damaged.
        (self.folder / META).write_text(meta.text(), encoding="utf-8")
        return meta

    def _grow(self, name: str, rows: NDArray[Any]) -> None:
        if name not in self.arrays:
            self.arrays[name] = _Growing(self.folder / f"{name}.npy", rows.dtype, rows.shape[1:])
        self.arrays[name].append(rows)


class _Growing:
    """A `.npy` file whose first axis grows; its header has room for the final number of rows."""

    def __init__(self, path: Path, dtype: np.dtype[Any], row: tuple[int, ...]) -> None:
        self.path, self.dtype, self.row, self.n_row = path, dtype, row, 0
        self.checksum = xxh3_64()
        self.file = path.open("wb", buffering=0)
        self.file.write(_header(self.dtype, (0, *row)))

    def append(self, rows: NDArray[Any]) -> None:
        """Writes further rows."""
        if rows.size:
            content = np.ascontiguousarray(rows).data.cast("B")
            self.checksum.update(content)
            written = 0
            while written < len(content):  # one call may write only a part
                written += self.file.write(content[written:])
        self.n_row += len(rows)

    def close(self) -> dict[str, Any]:
        """Writes the header and returns shape, dtype, size and the checksum of what follows the header."""
        shape = [self.n_row, *self.row]
        self.file.seek(0)
        self.file.write(_header(self.dtype, shape))
        self.file.close()
        return {
            "shape": shape,
            "dtype": self.dtype.name,
            "bytes": self.path.stat().st_size,
            "xxh3": self.checksum.hexdigest(),
        }


def _header(dtype: np.dtype[Any], shape: Sequence[int]) -> bytes:
    """Returns the header of a `.npy` file, whose length does not depend on the number of rows."""
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(file, {"descr": dtype.str, "fortran_order": False, "shape": tuple(shape)})
    return file.getvalue()


def _checksum(path: Path, facts: Mapping[str, Any]) -> str | None:
    """Returns the checksum of what follows the header; None if the header differs from what `facts` say."""
    header, checksum = _header(np.dtype(facts["dtype"]), facts["shape"]), xxh3_64()
    with path.open("rb") as file:
        if file.read(len(header)) != header:
            return None
        while block := file.read(BLOCK):
            checksum.update(block)
    return str(checksum.hexdigest())
