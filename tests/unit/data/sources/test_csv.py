"""The CSV source: types from whole columns, whatever separates the fields, and errors that name the line."""

from __future__ import annotations

import csv as csv_reader
import gzip
import math
import os
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pytest
import vector

from root_gnn.data.reading.read import read
from root_gnn.data.sources import csv, root
from root_gnn.data.sources.csv import Config
from root_gnn.data.spec.spec import load_spec
from root_gnn.errors import InputError


@pytest.fixture
def real_data() -> Path:
    folder = os.environ.get("ROOT_GNN_REAL_DATA")
    if not folder:
        pytest.skip("ROOT_GNN_REAL_DATA does not name the folder of real files")
    return Path(folder)


def write(folder: Path, text: str | bytes, name: str = "file.csv") -> Path:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def table(path: Path, **options: Any) -> dict[str, list[Any]]:
    with Config(**options).open(path) as source:
        return {name: array.tolist() for name, array in source.read(source.branches, 0, source.n_entry).items()}


@pytest.mark.parametrize(
    ("name", "n_entry"), [("2e2mu_2012.csv", 104), ("4mu_2011.csv", 18), ("Zmumu_Run2011A.csv", 10583)]
)
def test_real_files_are_read_as_python_reads_them(real_data: Path, name: str, n_entry: int) -> None:
    path = real_data / "csv" / name
    with path.open(newline="") as stream:
        header, *rows = csv_reader.reader(stream)
    expected = np.array(rows, dtype=np.float64)
    with Config().open(path) as source:
        assert source.n_entry == n_entry
        assert source.branches == tuple(header)
        arrays = source.read(source.branches, 3, 11)
        assert source.type_of("Run") == "int64"
        assert source.type_of("phi1") == "float64"
    np.testing.assert_array_equal(
        np.stack([np.asarray(arrays[column], dtype=np.float64) for column in header], axis=1), expected[3:11]
    )


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_separators_line_ends_and_byte_order_mark(tmp_path: Path, separator: str, end: str, mark: str) -> None:
    lines = [["Run", "pt 1"], ["1", "2.5"], ["", ""], ["3", "4"]]
    text = mark + end.join(separator.join(line) if any(line) else "" for line in lines) + end
    assert table(write(tmp_path, text)) == {"Run": [1, 3], "pt 1": [2.5, 4.0]}


def test_types_come_from_the_whole_column(tmp_path: Path) -> None:
    n = 200_000  # several blocks of the reader
    path = write(tmp_path, "a,b,c,d,e\n" + "1,18446744073709551615,True,x,+5\n" * n + "2.5,0,false,7, 6 \n")
    with Config().open(path) as source:
        assert {name: source.type_of(name) for name in "abcde"} == {
            "a": "float64",
            "b": "uint64",
            "c": "bool",
            "d": "string",
            "e": "int64",
        }
        assert list(source.chunks(("a",))) == [(0, 200_000), (200_000, 200_001)]
        last = {name: array.tolist() for name, array in source.read(("a", "b", "c", "d", "e"), n - 1, n + 1).items()}
    assert last == {"a": [1.0, 2.5], "b": [2**64 - 1, 0], "c": [True, False], "d": ["x", "7"], "e": [5, 6]}


def test_nan_and_infinity_are_numbers(tmp_path: Path) -> None:
    values = table(write(tmp_path, "a\nnan\n-inf\n1e-4\n"))["a"]
    assert math.isnan(values[0])
    assert values[1:] == [-math.inf, 1e-4]


def test_header(tmp_path: Path) -> None:
    assert table(write(tmp_path, ",a\n0,5\n")) == {"column_1": [0], "a": [5]}
    assert table(write(tmp_path, '"jet pt","c,d"\n"1","2"\n')) == {"jet pt": [1], "c,d": [2]}
    assert table(write(tmp_path, "1,2\n3,4\n"), columns=("x", "y")) == {"x": [1, 3], "y": [2, 4]}
    assert table(write(tmp_path, "x|y\n3|4\n"), separator="|") == {"x": [3], "y": [4]}
    assert table(write(tmp_path, "a,b")) == table(write(tmp_path, "a,b\n\n")) == {"a": [], "b": []}
    with pytest.raises(InputError, match=r"the first line should name the columns, but it is '1,2'"):
        table(write(tmp_path, "1,2\n3,4\n"))
    with pytest.raises(InputError, match=r"source.columns of the spec has 3 names, the first line has 2 fields"):
        table(write(tmp_path, "1,2\n3,4\n"), columns=("x", "y", "z"))
    with pytest.raises(InputError, match="one character was expected"):
        table(write(tmp_path, "a\n"), separator=", ")


def test_a_name_twice_is_refused_where_it_is_read(tmp_path: Path) -> None:
    with Config().open(write(tmp_path, "pt,eta,pt\n1,2,3\n")) as source:
        assert source.branches == ("pt", "eta")
        assert source.read(("eta",), 0, 1)["eta"].tolist() == [2]
        with pytest.raises(InputError, match="the columns 1 and 3 are both called pt"):
            source.read(("pt",), 0, 1)
        with pytest.raises(InputError, match=r"there is no column et; did you mean eta"):
            source.read(("et",), 0, 1)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b\n1,2\n\n3\n", r"line 4 has 1 fields, 2 were expected \('3'\)"),
        ("a,b\n1,2\n1,2,3\n", r"line 3 has 3 fields, 2 were expected"),
        ("a;b\n1;2\n\n3;4,5\n5;6\n", r"the column b holds numbers, but '4,5' stands in line 4 \(1 such lines\)"),
        ("a,b\n1,2\n3,\n5,6\n", r"the column b holds numbers, but nothing stands in line 3"),
        ("a,b\n1,2\n3,12GeV\n5,6\n", r"the column b holds numbers, but '12GeV' stands in line 3"),
        (
            'a,b\n1,2\n3,"4\n5,6\n',
            "column 2 of line 3 continues after the end of the line; a quotation mark is not closed",
        ),
        (b"a,b\n" + b"1,2\n" * 2000 + b"1,\xff\n", "no CSV, or damaged"),
        (
            gzip.compress(b"a,b\n" + b"".join(b"%d,%d\n" % (i, i * i) for i in range(2000)))[:-2000],
            "cannot be read to its end",
        ),
        ("", "the file is empty"),
        ("<html>\n", "it is an HTML page"),
        (b"PAR1....", "a CSV file was expected; it is parquet"),
    ],
)
def test_refusals(tmp_path: Path, text: str | bytes, message: str) -> None:
    with pytest.raises(InputError, match=message):
        table(write(tmp_path, text))


def test_compressed(tmp_path: Path) -> None:
    assert table(write(tmp_path, gzip.compress(b"a,b\n1,2\n"), "f.csv.gz")) == {"a": [1], "b": [2]}


def test_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv, "MOST_BYTES", 5)
    with pytest.raises(InputError, match="8 bytes of text are more than fit in memory; convert the file to parquet"):
        table(write(tmp_path, "a,b\n1,2\n"))


def test_found(tmp_path: Path) -> None:
    assert Config.found_in(write(tmp_path, "a,b\n1,2\n")) == [Config()]


@pytest.mark.parametrize("name", ["2e2mu_2012.csv", "4mu_2011.csv"])
def test_four_leptons(real_data: Path, name: str) -> None:
    """The momenta are the table's own pt, eta, phi and mass, which were not read for them."""
    records = read(real_data / "csv" / name, load_spec("cms_four_leptons"))
    with Config().open(real_data / "csv" / name) as source:
        n = source.n_entry
        table = {column: np.asarray(array) for column, array in source.read(source.branches, 0, n).items()}
    leptons = ak.concatenate([records["electron"], records["muon"]], axis=1)
    assert ak.num(leptons).tolist() == [4] * n
    for feature in ("pt", "eta", "phi"):
        expected = np.sort(np.stack([table[f"{feature}{slot}"] for slot in range(1, 5)], axis=1))
        np.testing.assert_allclose(np.sort(ak.to_numpy(leptons[feature])), expected, rtol=2e-4, atol=2e-5)
    momentum = vector.zip({name: leptons[name] for name in ("pt", "eta", "phi", "energy")})
    np.testing.assert_allclose(np.asarray(ak.sum(momentum, axis=1).mass), table["M"], rtol=1e-3)
    np.testing.assert_allclose(np.asarray(records["globals"]["four_lepton_mass"]), table["M"], rtol=1e-6)
    assert records["ids"].tolist() == np.stack([table["Run"], table["Event"]], axis=1).tolist()


def test_two_muons(real_data: Path) -> None:
    records = read(real_data / "csv/Zmumu_Run2011A.csv", load_spec("cms_zmumu"))
    assert ak.num(records["muon"]).tolist() == [2] * 10583
    muons = vector.zip({name: records["muon"][name] for name in ("pt", "eta", "phi", "energy")})
    mass = np.asarray((muons[:, 0] + muons[:, 1]).mass)
    assert 90.0 < np.median(mass) < 91.5
    tree = read(real_data / "flat/uproot-Zmumu.root", load_spec("zmumu"))
    muons = vector.zip({name: tree["muon"][name] for name in ("pt", "eta", "phi", "energy")})
    with root.Config(tree="events").open(real_data / "flat/uproot-Zmumu.root") as source:
        expected = source.read(("M", "eta2"), 0, 2304)
    np.testing.assert_allclose(np.asarray((muons[:, 0] + muons[:, 1]).mass), np.asarray(expected["M"]), rtol=1e-3)
    np.testing.assert_allclose(np.asarray(tree["muon"]["eta"][:, 1]), np.asarray(expected["eta2"]), atol=2e-3)
