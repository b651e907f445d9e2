"""Files that are not what they should be, called by their name."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from root_gnn.data.formats.sniff import format_of, refuse_other_formats, sources_of, without_ending
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
    "HepMC": b"HepMC::Version 3.02\n",
    "a ZIP archive (PyTorch files are such)": b"PK\x03\x04" + bytes(22) + b"\x0f\x00\x00\x00archive/data.pkl",
    "npz": b"PK\x03\x04" + bytes(22) + b"\x05\x00\x00\x00X.npy\x93NUMPY",
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
    with pytest.raises(
        InputError, match=r"a ROOT file was expected; it is a Les Houches file .* --lhe FILE .* spec lhe_partons"
    ):
        refuse_other_formats(path, "ROOT")
    with pytest.raises(InputError, match=r"a parquet file was expected; it is a Les Houches file"):
        refuse_other_formats(path, "parquet")
    refuse_other_formats(path, "LHE")


def test_refusal_says_what_it_is(tmp_path: Path) -> None:
    path = tmp_path / "file.root"
    for name, words in {
        "empty": "0 bytes",
        "HTML": "an HTML page",
        "HDF5": "it is HDF5",
        "unknown": "no format known",
    }.items():
        path.write_bytes(CONTENTS[name])
        with pytest.raises(InputError, match=words):
            refuse_other_formats(path, "ROOT")
    with pytest.raises(InputError, match="no such file"):
        refuse_other_formats(tmp_path / "none.root", "ROOT")
    with pytest.raises(InputError, match="is a folder"):
        refuse_other_formats(tmp_path, "ROOT")


def test_which_sources_read_a_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    for name, expected in {"ROOT": ["root"], "HDF5": ["pandas_table", "hdf5"], "CSV": ["csv"], "LHE": ["lhe"]}.items():
        path.write_bytes(CONTENTS[name])
        assert [source.__module__.rpartition(".")[2] for source in sources_of(path)] == expected
    path.write_bytes(gzip.compress(CONTENTS["LHE"]))
    assert [source.__module__.rpartition(".")[2] for source in sources_of(path)] == ["lhe"]
    path.write_bytes(gzip.compress(CONTENTS["HDF5"]))
    with pytest.raises(InputError, match="it is an HDF5 file within gzip; unpack it"):
        sources_of(path)
    for name, words in {
        "HTML": "a ROOT, HDF5, parquet, npz, LHE or CSV file was expected; it is an HTML page",
        "HepMC": "without a detector",
        "a Git LFS pointer, not the file itself": "LFS",
    }.items():
        path.write_bytes(CONTENTS[name])
        with pytest.raises(InputError, match=words):
            sources_of(path)


def test_names_without_their_ending() -> None:
    names = ["WH.root", "a.b.hdf5", "partons.LHE.gz", "jets.csv.gz", "notes.txt", "csv"]
    assert [without_ending(name) for name in names] == ["WH", "a.b", "partons", "jets", "notes.txt", "csv"]
