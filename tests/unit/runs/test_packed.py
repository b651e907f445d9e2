"""One file of a run holds its weights and texts, and nothing else is taken from it."""

from __future__ import annotations

from pathlib import Path

import pytest
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from root_gnn.errors import InputError
from root_gnn.runs.packed import TEXTS, is_packed, pack_folder, packed_name, unpack, unpacked
from root_gnn.runs.run import Run


@pytest.fixture
def packed(one_run: Run, tmp_path: Path) -> Path:
    return pack_folder(one_run.folder, one_run.checkpoint, tmp_path / "a.safetensors")


def test_the_file_has_the_tensors_and_the_texts(packed: Path, one_run: Run) -> None:
    with safe_open(packed, framework="pt") as file:
        assert set(file.keys()) == set(one_run.objective.state_dict())
        texts = file.metadata()
    assert set(texts) - {"format", "name"} <= set(TEXTS)
    assert texts["config.yaml"] == (one_run.folder / "config.yaml").read_text()
    assert is_packed(packed) and packed_name(packed) == one_run.name


def test_unpacking_gives_the_same_weights(packed: Path, one_run: Run, tmp_path: Path) -> None:
    assert Run(unpack(packed, tmp_path / "again")).weights_digest == one_run.weights_digest
    folder = unpacked(packed)
    assert folder.name == one_run.name and unpacked(packed) == folder, "unpacked once"


def test_a_damaged_file_and_a_run_without_parts_are_refused(packed: Path, one_run: Run, tmp_path: Path) -> None:
    packed.write_bytes(packed.read_bytes()[:100])
    with pytest.raises(InputError, match=r"a\.safetensors is no packed run, or is damaged"):
        unpack(packed, tmp_path / "again")
    assert not (tmp_path / "again").exists()
    (one_run.folder / "plan.json").unlink()
    with pytest.raises(InputError, match=r"it has no plan\.json"):
        pack_folder(one_run.folder, one_run.checkpoint, tmp_path / "b.safetensors")


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        ({"format": "another"}, "its header says 'another' where"),
        ({"name": "../../up"}, "it calls its run"),
        ({"spy.py": "import os"}, r"holds 'spy\.py', which no packed run does"),
        ({"plan.json": "[]"}, r"its plan\.json is not what a run has there"),
        ({"scaling.json": "{"}, r"its scaling\.json is not what a run has there"),
    ],
)
def test_a_header_that_no_run_has_is_refused(packed: Path, tmp_path: Path, texts: dict[str, str], message: str) -> None:
    with safe_open(packed, framework="pt") as file:
        header = dict(file.metadata())
    save_file(load_file(packed), packed, metadata=header | texts)
    with pytest.raises(InputError, match=message):
        unpack(packed, tmp_path / "again")
    assert not (tmp_path / "again").exists()
