"""Les Houches files are counted, and refused where they are not whole."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from root_gnn.errors import InputError
from root_gnn.simulation.lhe import count_events

WHOLE = (
    "<LesHouchesEvents version='3.0'>\n<init>\n</init>\n" + "<event>\n 1 2 3\n</event>\n" * 7 + "</LesHouchesEvents>\n"
)


def test_counts_plain_and_gzipped(tmp_path: Path) -> None:
    (tmp_path / "a.lhe").write_text(WHOLE)
    (tmp_path / "a.lhe.gz").write_bytes(gzip.compress(WHOLE.encode(), mtime=0))
    assert count_events(tmp_path / "a.lhe") == count_events(tmp_path / "a.lhe.gz") == 7


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.lhe", b"", "no <LesHouchesEvents>"),
        ("a.lhe", b"ROOT file or so", "no <LesHouchesEvents>"),
        ("a.lhe", WHOLE.replace("event>", "x>").encode(), "holds no event"),
        ("a.lhe", WHOLE[:-40].encode(), "6 events begin, 6 end, and there is no closing"),
        ("a.lhe", WHOLE.replace("</event>", "", 1).encode(), "7 events begin, 6 end"),
        ("a.lhe", gzip.compress(WHOLE.encode(), mtime=0), "rename it with .gz"),
        ("a.lhe.gz", WHOLE.encode(), "rename it without .gz"),
        ("a.lhe.gz", gzip.compress(WHOLE.encode(), mtime=0)[:-20], "cannot be read to its end"),
    ],
)
def test_refuses_what_is_not_whole(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=message):
        count_events(tmp_path / name)


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        count_events(tmp_path / "nowhere.lhe")


def test_real_files(real_data: Path) -> None:
    for path in sorted((real_data / "lhe").glob("*.lhe.gz")):
        assert count_events(path) == 100
