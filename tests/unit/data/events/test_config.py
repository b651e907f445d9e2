"""The data section and the files it finds."""

from __future__ import annotations

from pathlib import Path

import pytest

from root_gnn.config.loader import to_mapping, validate
from root_gnn.data.events.config import DataConfig, find_files, matches
from root_gnn.errors import InputError


def test_defaults() -> None:
    config = validate(DataConfig, {"classes": {"WH": "WH.root", "ZH": ["a.root", "b.root"]}})
    assert config.classes == {"WH": ("WH.root",), "ZH": ("a.root", "b.root")}
    assert (config.split.train, config.split.validation, config.split.test) == (0.7, 0.1, 0.2)
    assert (config.spec, config.weights, config.lumi, config.max_events, config.n_worker) == (
        "events",
        "signed",
        None,
        None,
        0,
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"split": {"train": 0.9}}, "add up to 1.2, not to 1"),
        ({"split": {"by": "hsh"}}, "by"),
        ({"split": {"by": "branch", "train": 0.8, "test": 0.1}}, "fractions by hash; with by: branch leave them out"),
        ({"split": {"by": "branch", "ids": "event"}}, "belong to by: hash, not to by: branch"),
        ({"split": {"by": "file", "n_fold": 2, "fold": 0}}, "belong to by: hash, not to by: file"),
        ({"split": {"by": "file", "test_files": "a.root"}}, "needs validation_files and test_files"),
        ({"split": {"test_files": "a.root"}}, "need by: file"),
        ({"split": {"n_fold": 5}}, "belong together"),
        ({"split": {"fold": 0}}, "belong together"),
        ({"split": {"n_fold": 1, "fold": 0}}, "n_fold"),
        ({"split": {"n_fold": 5, "fold": 5}}, "of 5 folds the last is 4"),
        ({"split": {"n_fold": 5, "fold": 0, "test": 0.3}}, "the fold is the test split"),
        ({"split": {"n_fold": 5, "fold": 0, "validation": 1.0}}, "leaves nothing"),
        ({"window": 0}, "window"),
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


@pytest.mark.parametrize(
    "split",
    [
        {},
        {"ids": "event"},
        {"by": "branch"},
        {"by": "file", "validation_files": "a", "test_files": ["b", "c*"]},
        {"n_fold": 5, "fold": 4, "validation": 0.3},
    ],
)
def test_splits_can_be_written_down_and_read_again(split: dict[str, object]) -> None:
    config = validate(DataConfig, {"classes": {"WH": "WH.root"}, "split": split})
    assert validate(DataConfig, to_mapping(config)) == config


def test_names_and_patterns_of_files_are_compared_from_the_right() -> None:
    path = Path("/data/ttbar/odd[1]_test.root")
    assert all(
        matches(path, pattern) for pattern in ("*_test.root", "odd[1]_test.root", "ttbar/*", "/data/*/*_test.root")
    )
    assert not any(matches(path, pattern) for pattern in ("_test.root", "WH/*", "/ttbar/*", "data/*.root"))


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
