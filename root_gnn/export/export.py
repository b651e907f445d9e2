"""`root-gnn export`: a run as one file that other programs score with, kept only where it computes what PyTorch does."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.export import ExportedProgram

from root_gnn._version import __version__
from root_gnn.atomic import atomic_file, write_text
from root_gnn.console import log
from root_gnn.errors import InputError
from root_gnn.export.card import Exported, card
from root_gnn.export.network import Signature, network_of
from root_gnn.export.parity import Call, check_parity, differences, samples
from root_gnn.export.program import save_program, traced
from root_gnn.graph.batch import Batch
from root_gnn.runs.run import Run, load_run
from root_gnn.training.plan import sha256

ONNX, PROGRAM = ".onnx", ".pt2"
TOLERANCE = 1e-5


def export(
    run: Run | Path | str,
    *,
    out: Path | str,
    data_dir: Path | str | None = None,
    opset: int = 18,
    ir_version: int = 8,
    tolerance: float = TOLERANCE,
    overwrite: bool = False,
    allow_plugins: Collection[str] = (),
) -> Exported:
    """Writes `OUT`, ONNX (`.onnx`) or a program of `torch.export` (`.pt2`), and a model card `OUT` with the ending `.md`.

    Before the file is kept its answers are held against PyTorch's on events of the run's own data, the largest, single ones, and ones of
    one node and of none included.

    Args:
        opset: version of the ONNX operators, 18 to 20.
        ir_version: version of the ONNX format; 8 is read by onnxruntime from 1.14 on.
        tolerance: the largest difference of a probability from PyTorch's.

    Raises InputError for another ending, where the file exists, the run's data is not there, the network can't be exported, or its
    answers differ; MissingExtraError where ONNX is asked for without the extra `onnx`.
    """
    target = Path(out)
    if target.suffix not in (ONNX, PROGRAM):
        raise InputError(
            f"--out {target}: a name that ends in {ONNX}, or in {PROGRAM} for a program of torch.export, was expected"
        )
    if target.exists() and not overwrite:
        raise InputError(f"{target} exists; name another --out, or replace it with --overwrite")
    opened = run if isinstance(run, Run) else load_run(run, allow_plugins=allow_plugins)
    batches = samples(opened, data_dir)
    example = next(iter(batches.values()))
    found = opened.encoder.extra_inputs(example)
    network = network_of(opened, tuple(found))
    program = traced(network, network.signature.arguments(example, found))
    work = _Work(opened, network.signature, program, batches, target, tolerance)
    with atomic_file(target) as temporary:
        if target.suffix == ONNX:
            made = _write_onnx(temporary, work, opset=opset, ir_version=ir_version)
        else:
            made = _write_program(temporary, work)
    write_text(made.card, card(opened, network.signature, made))
    log.info("%s", made)
    return made


@dataclass(frozen=True)
class _Work:
    """What is exported and what it is held against; the file becomes `target`."""

    run: Run
    signature: Signature
    program: ExportedProgram
    batches: Mapping[str, Batch]
    target: Path
    tolerance: float

    def checked(self, call: Call, metadata: Mapping[str, str]) -> Exported:
        """What was made; raises InputError where `call` does not compute what PyTorch does."""
        found = differences(self.run, self.signature, self.batches, call)
        check_parity(found, self.tolerance, self.target)
        said = {**metadata, "largest_difference": f"{max(found.values()):.1e}"}
        return Exported(self.target, self.target.with_suffix(".md"), said, found)

    def metadata(self) -> dict[str, str]:
        """What stands in the file: words, and lists separated by commas, which every language can read."""
        run, signature = self.run, self.signature
        return {
            "root_gnn": __version__,
            "torch": torch.__version__,
            "run": run.name,
            "checkpoint_sha256": sha256(run.checkpoint),
            "node_features": ",".join(signature.nodes),
            "node_units": ",".join(signature.units),
            "node_types": ",".join(f"{name}={collection.type}" for name, collection in run.spec.nodes.items()),
            "global_features": ",".join(signature.globals),
            "output": signature.output,
            "classes": ",".join(signature.outputs),
            "link": signature.link,
        }


def _write_onnx(path: Path, work: _Work, *, opset: int, ir_version: int) -> Exported:
    from root_gnn.export.onnx_file import Session, describe_inputs, model_of

    model = model_of(work.program, work.signature, opset=opset, ir_version=ir_version)
    made = work.checked(Session(model.SerializeToString()), work.metadata())
    describe_inputs(model, made.metadata)
    path.write_bytes(model.SerializeToString())
    return made


def _write_program(path: Path, work: _Work) -> Exported:
    program = work.program.module()

    def call(arguments: Mapping[str, Tensor]) -> NDArray[np.float64]:
        with torch.inference_mode():
            said: NDArray[np.float64] = program(**arguments).double().numpy()
        return said

    made = work.checked(call, work.metadata())
    save_program(work.program, path, made.metadata)
    return made
