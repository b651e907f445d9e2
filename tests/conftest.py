"""Fixtures and options shared by all tests."""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

os.environ.setdefault("DGLBACKEND", "pytorch")  # else the first import of dgl writes a file into the home folder

os.environ.setdefault("ROOT_GNN_CACHE", tempfile.mkdtemp(prefix="root_gnn_cache_"))  # not beside the fixtures

os.environ.setdefault("OMP_NUM_THREADS", "1")  # two workers on two cores: a second thread each would only wait

settings.register_profile("suite", deadline=None, derandomize=True, max_examples=25)
settings.load_profile("suite")

PACKAGES = {"dgl": "dgl", "pyg": "torch_geometric", "pythia": "pythia8mc"}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--slow", action="store_true", help="run the tests marked slow too")


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Names a long or binary parameter by its argument: its contents tell nothing and may hold the time."""
    return argname if isinstance(val, bytes) or (isinstance(val, str) and len(val) > 200) else None


def _gpu() -> bool:
    import torch

    return torch.cuda.is_available()


def _no_operator() -> str:
    from root_gnn.kernels.library import why_not

    return why_not()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skips, visibly, what needs time that was not granted or a package or device that is not there."""
    missing = {mark: package for mark, package in PACKAGES.items() if importlib.util.find_spec(package) is None}
    no_gpu = any("gpu" in item.keywords for item in items) and not _gpu()
    no_operator = _no_operator() if any("compiled" in item.keywords for item in items) else ""
    for item in items:
        if "compiled" in item.keywords and no_operator:
            item.add_marker(pytest.mark.skip(reason=f"the compiled operator is {no_operator}"))
        if "slow" in item.keywords and not config.getoption("--slow"):
            item.add_marker(pytest.mark.skip(reason="slow; run with --slow"))
        if "gpu" in item.keywords and no_gpu:
            item.add_marker(pytest.mark.skip(reason="no CUDA device"))
        for mark, package in missing.items():
            if mark in item.keywords:
                item.add_marker(pytest.mark.skip(reason=f"{package} is not installed"))


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real files from experiments, named by ROOT_GNN_REAL_DATA."""
    folder = os.environ.get("ROOT_GNN_REAL_DATA")
    if not folder:
        pytest.skip("ROOT_GNN_REAL_DATA does not name a folder of real files")
    if not Path(folder).is_dir():
        pytest.fail(f"ROOT_GNN_REAL_DATA={folder} is no folder")
    return Path(folder)


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The small simulated files that belong to the tests."""
    return Path(__file__).parent / "data"


@pytest.fixture
def add_plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str, str, str], None]]:
    """`add_plugin(family, name, text)` adds a module to a family of plug-ins, in a folder outside the package."""
    added = []

    def add(family: str, name: str, text: str) -> None:
        package = importlib.import_module(f"root_gnn.{family}")
        folder = tmp_path / "plugins" / family
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}.py").write_text(text, encoding="utf-8")
        if str(folder) not in package.__path__:
            monkeypatch.setattr(package, "__path__", [*package.__path__, str(folder)])
        importlib.invalidate_caches()
        added.append((package, name))

    yield add
    for package, name in added:
        sys.modules.pop(f"{package.__name__}.{name}", None)
        vars(package).pop(name, None)
