"""Programs of torch.export."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch

from root_gnn.export.network import network_of
from root_gnn.export.program import METADATA, save_program, traced
from root_gnn.runs.run import Run


@pytest.mark.slow
def test_a_saved_program_computes_the_same_for_another_size(seeds: list[Run], ntuples: Path, tmp_path: Path) -> None:
    network, table = network_of(seeds[0]), seeds[0].table(ntuples)
    small, large = (network.signature.arguments(table.gather(np.arange(n)), {}) for n in (3, 20))
    save_program(traced(network, small), tmp_path / "a.pt2", {"run": "a"})
    extra = {METADATA: ""}
    program = torch.export.load(tmp_path / "a.pt2", extra_files=extra)
    torch.testing.assert_close(program.module()(**large), network(**large), atol=1e-6, rtol=0)
    assert json.loads(extra[METADATA]) == {"run": "a"}
    with zipfile.ZipFile(tmp_path / "a.pt2") as archive:
        assert not any(b'.py\\"' in archive.read(name) for name in archive.namelist())  # no path of this machine
