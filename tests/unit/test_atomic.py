"""Files and folders exist whole or not at all, whatever happens in between."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from root_gnn.atomic import atomic_file, atomic_folder, write_json, write_text


def test_a_file_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "new" / "a.txt"
    write_text(path, "old")
    with pytest.raises(KeyError), atomic_file(path) as temporary:
        assert temporary.parent == path.parent and temporary.suffix == ".txt"
        temporary.write_text("half")
        raise KeyError
    assert [child.name for child in path.parent.iterdir()] == ["a.txt"] and path.read_text() == "old"
    assert stat.S_IMODE(path.stat().st_mode) & 0o600 == 0o600


def test_a_folder_replaces_an_older_one_only_when_it_is_done(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    for content in ("first", "second"):
        with atomic_folder(folder) as temporary:
            (temporary / "a").write_text(content)
    with pytest.raises(KeyError), atomic_folder(folder) as temporary:
        (temporary / "a").write_text("third")
        raise KeyError
    assert (folder / "a").read_text() == "second" and list(tmp_path.iterdir()) == [folder]


def test_json_without_nan(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    write_json(path, {"auc": 0.5, "none": None})
    assert json.loads(path.read_text()) == {"auc": 0.5, "none": None}
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(path, {"auc": float("nan")})
    assert json.loads(path.read_text())["auc"] == 0.5
