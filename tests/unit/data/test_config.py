"""The data section and the files it finds."""

from __future__ import annotations

from pathlib import Path

import pytest

from root_gnn.config.loader import validate
from root_gnn.data.config import DataConfig, find_files
from root_gnn.errors import InputError


def test_defaults() -> None:
    config = validate(DataConfig, {"classes": {"WH": "WH.root", "ZH": ["a.root", "b.root"]}})
    assert config.classes == {"WH": ("WH.root",), "ZH": ("a.root", "b.root")}
    assert (config.split.train, config.split.validation, config.split.test) == (0.7, 0.1, 0.2)
    assert (config.spec, config.weights, config.lumi, config.max_events, config.n_worker) == ("events", "signed", None, None, 0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"split": {"train": 0.9}}, "add up to 1.2, not to 1"),
        ({"files": "x.root"}, "one of the two"),
        ({"classes": {}}, "one of the two"),
        ({"weights": "absolute"}, "weights"),
        ({"max_events": 0}, "max_events"),
        ({"clases": {}}, "did you mean classes"),
    ],
)
def test_wrong_sections_are_refused(change: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        validate(DataConfig, {"classes": {"WH": "WH.root"}, **change})


def test_files_and_patterns(tmp_path: Path) -> None:
    for name in ("b1.root", "a1.root", "a2.root", "odd[1].root"):
        (tmp_path / name).touch()
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "c.root").touch()

    def names(*patterns: str) -> list[str]:
        return [str(path.relative_to(tmp_path)) for path in find_files(patterns, tmp_path)]

    assert names("b1.root", "a*.root") == ["b1.root", "a1.root", "a2.root"]
    assert names("a2.root", "a*.root") == ["a2.root", "a1.root"]
    assert names("odd[1].root") == ["odd[1].root"]
    assert names("*/c.root", str(tmp_path / "b?.root")) == ["deep/c.root", "b1.root"]
    with pytest.raises(InputError, match=r"is called b2.root; did you mean b1.root"):
        names("b2.root")
    with pytest.raises(InputError, match=r"is called z\*.root"):
        names("z*.root")
    with pytest.raises(InputError, match="does not exist; name it with --data-dir"):
        find_files(("x.root",), tmp_path / "none")
