"""The npz source: mapped and compressed arrays, and what is refused."""

from __future__ import annotations

import math
import zipfile
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pytest

import root_gnn as rg
from root_gnn.data.sources.npz import Config
from root_gnn.errors import InputError

N = 400


@pytest.fixture
def arrays() -> dict[str, Any]:
    rng = np.random.default_rng(1)
    return {
        "X": rng.random((N, 12, 4)),
        "y": rng.integers(0, 2, N).astype(">i4"),
        "few": np.arange(3),
        "one": np.array(2.5),
    }


@pytest.fixture(params=["stored", "compressed", "columns", "compressed columns"])
def path(request: pytest.FixtureRequest, arrays: dict[str, Any], tmp_path: Path) -> Path:
    save = np.savez_compressed if "compressed" in request.param else np.savez
    kept = {**arrays, "X": np.asfortranarray(arrays["X"])} if "columns" in request.param else arrays
    save(tmp_path / "jets.npz", **kept)
    return tmp_path / "jets.npz"


def read(path: Path, *branches: str, start: int = 0, stop: int | None = None) -> dict[str, Any]:
    with Config().open(path) as source:
        return source.read(branches, start, source.n_entry if stop is None else stop)


def test_arrays_and_columns(path: Path, arrays: dict[str, Any]) -> None:
    found = read(path, "y", "X.0", "X.3", "X", start=7, stop=90)
    assert found["y"].tolist() == arrays["y"][7:90].tolist()
    assert found["X.0"].tolist() == arrays["X"][7:90, :, 0].tolist()
    assert found["X.3"].tolist() == arrays["X"][7:90, :, 3].tolist()
    assert found["X"].tolist() == arrays["X"][7:90].tolist()
    assert read(path, "X.1", start=5, stop=5)["X.1"].tolist() == []


def test_types(path: Path) -> None:
    with Config().open(path) as source:
        types = {name: source.type_of(name) for name in source.branches}
        found = source.read(("X", "X.2", "y"), 0, 3)
    assert types == {"X": "12 * 4 * float64", **{f"X.{k}": "12 * float64" for k in range(4)}, "y": "int32", "few": ""}
    assert {name: str(array.type.content) for name, array in found.items()} == {name: types[name] for name in found}
    assert Config.found_in(path) == [Config()]


def test_chunks_change_nothing(path: Path, arrays: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("root_gnn.data.formats.fixed_rows.CHUNK_BYTES", 12 * 4 * 8 * 90)
    with Config().open(path) as source:
        ranges = list(source.chunks(("X.0", "X.1")))
        parts = [source.read(("X.0", "X.1"), *span)["X.1"] for span in ranges]
        again = source.read(("X.1",), 0, 3)["X.1"].tolist()  # back to the start
    assert ranges == [(0, 90), (90, 180), (180, 270), (270, 360), (360, 400)]
    assert ak.concatenate(parts).tolist() == arrays["X"][:, :, 1].tolist()
    assert again == arrays["X"][:3, :, 1].tolist()


def test_rows_that_disagree_and_names_that_are_not_there(path: Path) -> None:
    with pytest.raises(InputError, match=rf"few has 3 rows, but the file has {N} entries \(as X\)"):
        read(path, "few")
    with pytest.raises(InputError, match=r"no array X\.9.*did you mean X"):
        read(path, "X.9")
    with pytest.raises(InputError, match="entries 0 to 400 were requested"):
        read(path, "y", stop=N + 1)


class Exploit:
    """Whatever unpickles this has run code of the file."""

    def __reduce__(self) -> Any:
        raise_ = "raise SystemExit('code of the file ran')"
        return exec, (raise_,)


def test_objects_are_never_unpickled(tmp_path: Path) -> None:
    np.savez(
        tmp_path / "o.npz", X=np.array([Exploit(), None], dtype=object), y=np.arange(2), names=np.array(["a", "b"])
    )
    assert read(tmp_path / "o.npz", "y")["y"].tolist() == [0, 1]
    with pytest.raises(InputError, match=r"X holds object, not numbers; Python objects are pickled.*runs code"):
        read(tmp_path / "o.npz", "X")
    with pytest.raises(InputError, match=r"names holds <U1, not numbers\. Save it as an array of numbers"):
        read(tmp_path / "o.npz", "names")


@pytest.mark.parametrize("keep", [10, 0.5, 0.98])
def test_truncated_files(path: Path, keep: float) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: int(keep * len(content)) if keep < 1 else int(keep)])
    with pytest.raises(InputError, match="most likely truncated"):
        read(path, "X")


def test_flipped_bytes(path: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        info = archive.getinfo("X.npy")
    content = bytearray(path.read_bytes())
    place = info.header_offset + info.compress_size // 2
    content[place : place + 8] = bytes(byte ^ 0xFF for byte in content[place : place + 8])
    path.write_bytes(content)
    with pytest.raises(InputError, match="X cannot be read at rows 0 to 399; the file is damaged"):
        read(path, "X")


def test_a_header_that_lies(tmp_path: Path) -> None:
    np.savez(tmp_path / "h.npz", X=np.zeros((2, 3)))
    content = (tmp_path / "h.npz").read_bytes().replace(b"(2, 3)", b"(9, 3)")
    (tmp_path / "h.npz").write_bytes(content)
    with pytest.raises(InputError, match="cannot be opened"):
        read(tmp_path / "h.npz", "X")


def test_other_files(tmp_path: Path, data_dir: Path) -> None:
    with pytest.raises(InputError, match="npz file was expected; it is ROOT"):
        read(data_dir / "WH.root", "X")
    with zipfile.ZipFile(tmp_path / "model.pt", "w") as archive:
        archive.writestr("data.pkl", b"x")
    with pytest.raises(InputError, match=r"holds no \.npy file \(PyTorch's files are ZIP archives too\)"):
        read(tmp_path / "model.pt", "X")


def test_energyflow_graphs(tmp_path: Path) -> None:
    """Massless constituents, wrapped phi, charges by PDG number; against a loop over the particles."""
    rng = np.random.default_rng(3)
    jets, charge = np.zeros((15, 30, 4)), {211: 1, -211: -1, 22: 0, 11: -1, 2212: 1, -3112: 1, 130: 0}
    count = rng.integers(1, 30, 15)
    for jet, n in enumerate(count):
        jets[jet, :n] = np.c_[
            rng.exponential(9, n), rng.normal(0, 1, n), rng.uniform(2, 9, n), rng.choice(list(charge), n)
        ]
    labels = rng.integers(0, 2, 15).astype(float)
    np.savez_compressed(tmp_path / "qg.npz", X=jets, y=labels)
    spec = rg.load_spec("energyflow")
    batch = rg.build_graphs(rg.read(tmp_path / "qg.npz", spec), spec)
    rows = [
        (
            pt,
            y,
            math.atan2(math.sin(phi), math.cos(phi)),
            pt * math.cosh(y),
            charge[number],
            number == 22,
            abs(number) == 11,
            0,
            0,
        )
        for jet, n in zip(jets, count, strict=True)
        for pt, y, phi, number in jet[:n]
    ]
    assert batch.n_node.tolist() == count.tolist()
    np.testing.assert_allclose(batch.nodes.numpy(), np.array(rows, dtype=float), rtol=1e-5, atol=1e-5)
    assert batch.labels["label"].tolist() == labels.tolist()
