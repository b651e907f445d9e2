"""Every instruction set that the compiled operator was built for."""

from __future__ import annotations

import pytest

from root_gnn.kernels.library import library


@pytest.fixture(params=["avx512", "avx2", "baseline"])
def form(request: pytest.FixtureRequest) -> str:
    """An instruction set, skipped where the processor lacks it."""
    found = library()
    assert found is not None
    order = ["avx512", "avx2", "baseline"]
    if order.index(request.param) < order.index(found.form(64)):
        pytest.skip(f"this processor has no {request.param}")
    return str(request.param)
