"""Contents of HDF5 files: links inside are followed, links out of the file refused."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest

from root_gnn.data.formats.hdf5_file import contents_of, decoded_text, missing_filter, open_hdf5
from root_gnn.errors import InputError


@pytest.fixture
def path(tmp_path: Path) -> Path:
    with h5py.File(tmp_path / "f.h5", "w") as file:
        file["a/x"] = np.arange(3)
        file["a/deep/y"] = np.arange(3)
        file["a/link"] = h5py.SoftLink("deep/y")
        file["a/nowhere"] = h5py.SoftLink("/a/absent")
        file["a/circle"] = file["a"]
        file["out/z"] = h5py.ExternalLink("other.h5", "z")
        file["a"].attrs["pandas_type"] = b"frame_table"
    return tmp_path / "f.h5"


def test_contents_of_a_group(path: Path) -> None:
    with open_hdf5(path) as file:
        contents = contents_of(path, file, "a")
        assert sorted(contents.datasets) == ["deep/y", "link", "x"]
        assert contents.datasets["link"][()].tolist() == [0, 1, 2]
        assert contents.dangling == {"nowhere": "/a/absent"}
        assert missing_filter(contents.datasets["x"]) is None


def test_a_link_out_of_the_file_is_refused(path: Path) -> None:
    with open_hdf5(path) as file:
        with pytest.raises(InputError, match=r"out/z is a link into the file other\.h5"):
            contents_of(path, file)
        with pytest.raises(InputError, match="there is no group b"):
            contents_of(path, file, "b")


def test_a_cut_file_is_refused(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:600])
    with pytest.raises(InputError, match="most likely truncated"), open_hdf5(path):
        pass


def test_attributes_are_bytes_or_text() -> None:
    assert decoded_text(b"abc") == decoded_text("abc") == "abc"
