"""The comparisons of the compiled operator hold where PyTorch, oneDNN and MKL use older instruction sets, too."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.compiled


@pytest.mark.parametrize(
    ("torch_set", "others"), [("default", "SSE41"), pytest.param("avx2", "AVX2", marks=pytest.mark.slow)]
)
def test_comparisons_hold_with_older_instruction_sets(torch_set: str, others: str) -> None:
    """In a process of its own, because the sets are chosen once, when PyTorch loads."""
    sets = {
        "ATEN_CPU_CAPABILITY": torch_set,
        "ONEDNN_MAX_CPU_ISA": others,
        "MKL_ENABLE_INSTRUCTIONS": "SSE4_2" if others == "SSE41" else others,
    }
    file = Path(__file__).with_name("test_fused.py")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(file), "-k", "rows_of_any_number"],
        env={**os.environ, **sets},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0 and " passed" in done.stdout, done.stdout + done.stderr
