"""Products of features in double precision, by the compiled operator where it is available."""

from __future__ import annotations

import numpy as np
import torch

from root_gnn.kernels.library import Cross, library
from root_gnn.typing import Floats

WIDTH = 8  # numbers in the widest vector, which fill the rows of y


def cross(x: Floats, y: Floats, *, form: str = "") -> Floats:
    """`x.T @ y` of `x (n_row, p)` and `y (n_row, q)`: `(p, q)`, with half of the work where `y` is `x`.

    `form` selects an instruction set; empty for the best one.
    """
    operator = library()
    p, q = x.shape[1], y.shape[1]
    if operator is None or q % WIDTH or not x.flags.c_contiguous or not y.flags.c_contiguous:
        result: Floats = x.T @ y
        return result
    out: Floats = np.zeros((p, q))
    job = Cross(
        n_row=len(x), p=p, q=q, n_thread=torch.get_num_threads(), x=x.ctypes.data, y=y.ctypes.data, out=out.ctypes.data
    )
    operator.cross(job, form=form)
    return out
