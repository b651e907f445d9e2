"""`root-gnn export`: writes a run as one file for other programs, and checks it against PyTorch."""

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
    """Writes ONNX (`.onnx`) or a program of `torch.export` (`.pt2`), and a model card next to it (`.md`).

    The file is kept only if its outputs agree with PyTorch's on events of the run's own data, among them the largest,
    single events, and events with one node and with none.

    Args:
        run: the run, or its folder.
        out: the file to write; its ending chooses the format.
        data_dir: folder of the run's data, if it was moved.
        opset: version of the ONNX operators, 18 to 20.
        ir_version: version of the ONNX format; onnxruntime reads 8 from its release 1.14 on.
        tolerance: largest allowed difference of a probability from PyTorch's.
        overwrite: replaces an existing file.
        allow_plugins: modules of the user's own that the run may import.

    Raises InputError for another ending, if the file exists, the run's data is missing, the network cannot be exported,
    or its outputs differ; MissingExtraError for ONNX without the extra `onnx`.
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
    extra_inputs = opened.encoder.extra_inputs(example)
    network = network_of(opened, tuple(extra_inputs))
    program = traced(network, network.signature.arguments(example, extra_inputs))
    work = _Work(opened, network.signature, program, batches, target, tolerance)
    with atomic_file(target) as temporary:
        if target.suffix == ONNX:
            exported = _write_onnx(temporary, work, opset=opset, ir_version=ir_version)
        else:
            exported = _write_program(temporary, work)
    write_text(exported.card, card(opened, network.signature, exported))
    log.info("%s", exported)
    return exported


@dataclass(frozen=True)
class _Work:
    """A network to export to `target`, and the batches it is checked on."""

    run: Run
    signature: Signature
    program: ExportedProgram
    batches: Mapping[str, Batch]
    target: Path
    tolerance: float

    def checked(self, call: Call, metadata: Mapping[str, str]) -> Exported:
        """Describes the exported file; raises InputError if `call` and PyTorch differ by more than the tolerance."""
        largest = differences(self.run, self.signature, self.batches, call)
        check_parity(largest, self.tolerance, self.target)
        metadata_of_file = {**metadata, "largest_difference": f"{max(largest.values()):.1e}"}
        return Exported(self.target, self.target.with_suffix(".md"), metadata_of_file, largest)

    def metadata(self) -> dict[str, str]:
        """Returns the metadata of the file; lists are separated by commas, which every language can parse."""
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
    exported = work.checked(Session(model.SerializeToString()), work.metadata())
    describe_inputs(model, exported.metadata)
    path.write_bytes(model.SerializeToString())
    return exported


def _write_program(path: Path, work: _Work) -> Exported:
    program = work.program.module()

    def call(arguments: Mapping[str, Tensor]) -> NDArray[np.float64]:
        with torch.inference_mode():
            output: NDArray[np.float64] = program(**arguments).double().numpy()
        return output

    exported = work.checked(call, work.metadata())
    save_program(work.program, path, exported.metadata)
    return exported
