"""Finding a file: by path, next to the file that names it, among the shipped ones."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from root_gnn.config import shipped
from root_gnn.config.loader import leaves
from root_gnn.config.yaml import read_document
from root_gnn.errors import InputError

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package with shipped files, and an empty current folder beside it."""
    for name in ("configs/tasks/WHvsZH.yaml", "configs/finetune.yaml", "data_specs/events.yaml"):
        (tmp_path / "package" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "package" / name).write_text("name: shipped\n")
    monkeypatch.setattr(shipped, "__file__", str(tmp_path / "package" / "config" / "shipped.py"))
    (tmp_path / "here" / "recipes").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path


@pytest.mark.parametrize(
    ("name", "kind", "file"),
    [
        ("WHvsZH", "task", "configs/tasks/WHvsZH.yaml"),
        ("WHvsZH.yaml", "task", "configs/tasks/WHvsZH.yaml"),
        ("tasks/WHvsZH", "task", "configs/tasks/WHvsZH.yaml"),
        ("configs/tasks/WHvsZH.yaml", "task", "configs/tasks/WHvsZH.yaml"),
        ("finetune", "recipe", "configs/finetune.yaml"),
        ("configs/finetune.yaml", "recipe", "configs/finetune.yaml"),
        ("events", "spec", "data_specs/events.yaml"),
        ("data_specs/events.yaml", "spec", "data_specs/events.yaml"),
    ],
)
def test_shipped_files_answer_to_their_names(house: Path, name: str, kind: str, file: str) -> None:
    assert shipped.find(name, kind) == house / "package" / file


def test_the_nearest_file_wins(house: Path) -> None:
    beside = Path("recipes/mine.yaml")
    assert shipped.find("events", "spec", beside) == house / "package" / "data_specs" / "events.yaml"
    Path("recipes/events.yaml").write_text("name: beside\n")
    assert shipped.find("events", "spec", beside) == Path("recipes/events.yaml")
    assert shipped.find("events", "spec", Path("recipes")) == Path("recipes/events.yaml")
    Path("events.yaml").write_text("name: given\n")
    assert shipped.find("events", "spec", beside) == Path("events.yaml")


def test_folders_are_no_files(house: Path) -> None:
    Path("finetune").mkdir()
    assert shipped.find("finetune", "recipe") == house / "package" / "configs" / "finetune.yaml"


@pytest.mark.parametrize(
    "name", ["WHvsZZ", "../tasks/WHvsZH", "../../package/configs/nothing", "", ".", "/absent/WHvsZH", "tasks"]
)
@pytest.mark.usefixtures("house")
def test_a_name_that_leads_nowhere_lists_the_near_ones(name: str) -> None:
    with pytest.raises(InputError, match="There is no task") as caught:
        shipped.find(name, "task")
    assert "WHvsZH" in str(caught.value)


def test_no_shipped_file_names_a_place_of_one_machine() -> None:
    """JetCLR's data paths were those of its authors' disks; here every path starts at the data folder."""
    found = [*(ROOT / "configs").rglob("*.yaml"), *(ROOT / "data_specs").rglob("*.yaml")]
    words = [(path.name, str(word)) for path in found for word in leaves(read_document(path).value).values()]
    assert (
        len(found) > 50
        and [(name, word) for name, word in words if re.search(r"(^|[\s=\[{,:'\"])(/\w|~/|[A-Z]:\\)", word)] == []
    )
