"""Files that are not what they should be, called by their name."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from root_gnn.data.sniff import format_of, refuse_other_formats
from root_gnn.errors import InputError

CONTENTS = {
    "empty": b"",
    "HTML": b"\n<!DOCTYPE html><html><body>404</body></html>",
    "a Git LFS pointer, not the file itself": b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n",
    "HDF5": b"\x89HDF\r\n\x1a\n" + bytes(100),
    "parquet": b"PAR1" + bytes(100),
    "LHE": b"<LesHouchesEvents version='3.0'>\n",
    "CSV": b"Run,Event,E1\n1,2,3\n",
    "text": "Grüße\n".encode(),
    "ROOT": b"root\x00\x00\xf7\x0c",
    "unknown": bytes(range(256)),
}


@pytest.mark.parametrize("name", CONTENTS)
def test_formats(tmp_path: Path, name: str) -> None:
    path = tmp_path / "file"
    path.write_bytes(CONTENTS[name])
    assert format_of(path) == name


def test_what_is_inside_gzip(tmp_path: Path) -> None:
    path = tmp_path / "file.gz"
    path.write_bytes(gzip.compress(CONTENTS["LHE"]))
    assert format_of(path) == "gzip-compressed LHE"
    path.write_bytes(b'<?xml version="1.0"?>\n<!-- by hand -->\n' + CONTENTS["LHE"])
    assert format_of(path) == "LHE"
    path.write_bytes(gzip.compress(CONTENTS["LHE"])[:15])
    assert format_of(path).startswith("gzip-compressed")


def test_what_to_do_with_partons(tmp_path: Path) -> None:
    path = tmp_path / "file.lhe"
    path.write_bytes(CONTENTS["LHE"])
    with pytest.raises(InputError, match=r"a ROOT file was expected; it is a Les Houches file .* --lhe FILE .* spec lhe_partons"):
        refuse_other_formats(path, "ROOT")
    with pytest.raises(InputError, match=r"a parquet file was expected; it is LHE\."):
        refuse_other_formats(path, "parquet")
    refuse_other_formats(path, "LHE")


def test_refusal_says_what_it_is(tmp_path: Path) -> None:
    path = tmp_path / "file.root"
    for name, words in {"empty": "0 bytes", "HTML": "an HTML page", "HDF5": "it is HDF5", "unknown": "no format known"}.items():
        path.write_bytes(CONTENTS[name])
        with pytest.raises(InputError, match=words):
            refuse_other_formats(path, "ROOT")
    with pytest.raises(InputError, match="no such file"):
        refuse_other_formats(tmp_path / "none.root", "ROOT")
    with pytest.raises(InputError, match="is a folder"):
        refuse_other_formats(tmp_path, "ROOT")
