"""docs/data.md names every key there is, and its examples run."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from root_gnn.config.loader import load
from root_gnn.data.cache import Meta
from root_gnn.data.config import DataConfig
from root_gnn.data.spec import Collection, Spec, Value, load_spec

PAGE = Path(__file__).parents[3] / "docs" / "data.md"


@pytest.fixture(scope="module")
def text() -> str:
    if not PAGE.is_file():
        pytest.skip("the documentation is not installed beside the tests")
    return PAGE.read_text(encoding="utf-8")


def keys_of_tables(text: str) -> list[str]:
    return re.findall(r"^\| `(\w+)`", text, flags=re.MULTILINE)


def test_every_key_has_its_row(text: str) -> None:
    documented = keys_of_tables(text)
    for section in (Spec, Collection, Value, DataConfig):
        for key in section.model_fields:
            assert key in documented, f"{section.__name__}.{key}"


def test_the_example_spec_is_one(text: str, tmp_path: Path) -> None:
    example = re.findall(r"```yaml\n(.*?)```", text, flags=re.DOTALL)[0]
    path = tmp_path / "my.yaml"
    path.write_text(example)
    assert load(Spec, path).nodes["met"].features["pt"][1].branch == "met"
    assert load_spec(path).weight[1].optional


def test_the_python_examples_run(text: str, data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ROOT_GNN_CACHE", raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    for name in ("WH", "ZH"):
        shutil.copy(data_dir / f"{name}.root", tmp_path / "data")
    shutil.copy(data_dir / "WH.root", tmp_path)
    for example in re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL):
        names: dict[str, object] = {}
        exec(example, names)
        assert names["batch"].check().n_graph > 250  # type: ignore[attr-defined]
    shards = list((tmp_path / "data" / ".root_gnn_cache").glob("*/meta.json"))
    assert [Meta.load(shard.parent) is not None for shard in shards] == [True, True]
