"""NumPy's functions for arrays, PyTorch's for tensors."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import torch

from root_gnn.kinematics.namespace import namespace


def test_each_array_gets_the_functions_of_its_library() -> None:
    assert namespace(np.zeros(2)) is np and namespace(torch.zeros(2)) is torch


def test_an_array_of_numpy_imports_no_pytorch() -> None:
    code = (
        "import sys, numpy; from root_gnn.kinematics.namespace import namespace; "
        "namespace(numpy.zeros(1)); sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
