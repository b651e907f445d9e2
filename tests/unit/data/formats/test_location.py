"""Files on a server: read by parts from a server of our own, and every way in which a server can fail."""

from __future__ import annotations

import pickle
import socket
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
import uproot

from root_gnn.data.events.config import DataConfig
from root_gnn.data.events.table import open_table
from root_gnn.data.formats.checksum import checksum, fingerprint
from root_gnn.data.formats.location import Remote, is_address, locate
from root_gnn.data.formats.root_file import open_root
from root_gnn.data.reading.read import iterate, read
from root_gnn.data.sources import csv, hdf5, lhe, npz, parquet, root
from root_gnn.data.spec.spec import load_spec
from root_gnn.errors import InputError, MissingExtraError

PAGE = b"<!DOCTYPE html><html><body>Sign in</body></html>"


class Server(ThreadingHTTPServer):
    """Serves `files`; counts the bytes it gave; `ranges` says whether it gives parts."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.files: dict[str, bytes] = {}
        self.ranges, self.sized, self.etag, self.sent = True, True, '"1"', 0

    def url(self, name: str) -> str:
        return f"http://127.0.0.1:{self.server_port}/{name}"


class Handler(BaseHTTPRequestHandler):
    """GET and HEAD, with parts."""

    protocol_version, wbufsize = "HTTP/1.1", -1  # head and content leave together
    server: Server

    def log_message(self, *_: Any) -> None:
        """Nothing."""

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_GET(self) -> None:
        self._answer(body=True)

    def _answer(self, *, body: bool) -> None:
        name = self.path.partition("?")[0].lstrip("/")
        if name in ("403", "500"):
            self._head(int(name), 0)
            return
        if name == "login.root":
            self._send(200, PAGE, body=body, kind="text/html; charset=utf-8")
            return
        if name not in self.server.files:
            self._head(404, 0)
            return
        content = self.server.files[name]
        wanted = self.headers.get("Range")
        if wanted and self.server.ranges:
            first, last = wanted.removeprefix("bytes=").split("-")
            start, stop = int(first), min(int(last) + 1 if last else len(content), len(content))
            self._send(206, content[start:stop], body=body, place=f"bytes {start}-{stop - 1}/{len(content)}")
        else:
            self._send(200, content, body=body)

    def _send(self, status: int, content: bytes, *, body: bool, place: str = "", kind: str = "") -> None:
        self._head(status, len(content), place, kind)
        if body:
            self.wfile.write(content)
            self.server.sent += len(content)

    def _head(self, status: int, size: int, place: str = "", kind: str = "") -> None:
        self.send_response(status)
        if self.server.sized or status >= 400:
            self.send_header("Content-Length", str(size))
        else:
            self.send_header("Connection", "close")
            self.close_connection = True
        if place:
            self.send_header("Content-Range", place)
        if kind:
            self.send_header("Content-Type", kind)
        if self.server.etag:
            self.send_header("ETag", self.server.etag)
        self.end_headers()


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_what_is_an_address() -> None:
    assert locate("a/b.root") == Path("a/b.root")
    assert not isinstance(locate("a/b.root"), Remote)
    assert not is_address("C:/x.root") and not is_address("a:b//c")
    assert is_address("root://eospublic.cern.ch//eos/opendata/x.root")
    remote = locate("https://host.org:8443/folder/file%20one.v2.root?download=1")
    assert isinstance(remote, Remote)
    assert isinstance(remote, Path)
    assert str(remote) == f"{remote}" == "https://host.org:8443/folder/file%20one.v2.root?download=1"
    assert (remote.name, remote.stem, remote.suffix) == ("file one.v2.root", "file one.v2", ".root")
    assert remote.resolve() == remote == pickle.loads(pickle.dumps(remote)) == locate(remote)
    assert len({remote, Remote(str(remote)), Remote("https://host.org/other")}) == 2
    for pattern in ("https://host.org/*.root", "root://host//data/x[12].root"):
        with pytest.raises(InputError, match="patterns are for local files"):
            locate(pattern)
    with pytest.raises(InputError, match=r"needed as a local file\. Download the file"):
        open(remote)  # noqa: PTH123, SIM115


def test_read_by_parts(server: Server) -> None:
    content = server.files["big.bin"] = np.random.default_rng(1).bytes(40_000_000)
    remote = locate(server.url("big.bin"))
    assert remote.is_file()
    assert remote.stat().st_size == len(content)
    with remote.open("rb") as file:
        for start in (0, 39_999_000, 20_000_000):
            file.seek(start)
            assert file.read(1000) == content[start : start + 1000]
        file.seek(-5, 2)
        assert file.read() == content[-5:]
    assert server.sent < 30_000_000
    assert not locate(server.url("none.bin")).exists()
    with pytest.raises(InputError, match="can only be read"):
        remote.open("wb")


def test_identity_is_address_size_and_version(server: Server, tmp_path: Path) -> None:
    content = server.files["a.bin"] = server.files["b.bin"] = np.random.default_rng(1).bytes(3_000_000)
    remote = locate(server.url("a.bin"))
    first, time = checksum(remote), remote.stat().st_mtime_ns
    assert server.sent < 1000
    assert checksum(remote) == first != checksum(locate(server.url("b.bin")))
    server.etag = '"2"'
    assert checksum(remote) != first
    assert remote.stat().st_mtime_ns != time
    server.files["a.bin"], server.etag = content[:-1], '"1"'
    assert checksum(remote) != first
    server.etag = ""
    assert remote.stat().st_mtime_ns == 0
    local = tmp_path / "c.bin"
    local.write_bytes(content)
    assert fingerprint(locate(server.url("b.bin"))) == fingerprint(local)


def test_each_source_reads_from_a_server(server: Server, tmp_path: Path, data_dir: Path) -> None:
    pq.write_table(pa.table({"x": np.arange(1000.0), "l": [[1.0]] * 1000}), tmp_path / "f.parquet")
    (tmp_path / "f.csv").write_text("a,b\n1,2\n")
    event = "<event>\n1 1 0.5 91 0.1 0.1\n25 1 0 0 0 0 0 0 1 2 1 0 0\n</event>\n"
    init = "<init>\n2212 2212 1 1 0 0 0 0 3 1\n1.5 0 1 1\n</init>\n"
    (tmp_path / "f.lhe").write_text(f"<LesHouchesEvents version='1.0'>\n{init}{event * 3}</LesHouchesEvents>\n")
    (tmp_path / "f.root").write_bytes((data_dir / "WH.root").read_bytes())
    for config in (parquet.Config(), csv.Config(), lhe.Config(), root.Config(tree="Events")):
        name = f"f.{type(config).__module__.rpartition('.')[2]}"
        server.files[name] = (tmp_path / name).read_bytes()
        with config.open(locate(server.url(name))) as there, config.open(tmp_path / name) as here:
            assert there.n_entry == here.n_entry
            assert there.branches == here.branches
            names = here.branches[:8]
            ours, theirs = (source.read(names, 0, here.n_entry) for source in (there, here))
            assert {key: value.tolist() for key, value in ours.items()} == {
                key: value.tolist() for key, value in theirs.items()
            }
            assert there.metadata() == here.metadata()


def test_a_truncated_root_file(server: Server, data_dir: Path) -> None:
    server.files["cut.root"] = (data_dir / "WH.root").read_bytes()[:-1000]
    with (
        pytest.raises(InputError, match=r"127.0.0.1:\d+/cut.root: .*truncated"),
        open_root(locate(server.url("cut.root"))),
    ):
        pass


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("none.root", "there is no such file"),
        ("403", "answers with the error 403"),
        ("500", "answers with the error 500"),
        ("login.root", "answers with an HTML page, most likely its error or login page"),
        ("page.root", "it is an HTML page"),
    ],
)
def test_servers_that_refuse(server: Server, name: str, message: str) -> None:
    server.files["page.root"] = PAGE
    with pytest.raises(InputError, match=rf"127.0.0.1:\d+/{name}: .*{message}"), open_root(locate(server.url(name))):
        pass


def test_servers_that_give_whole_files_only(server: Server) -> None:
    server.files["x.root"] = b"root" + bytes(5000)
    server.ranges = False
    with pytest.raises(InputError, match=r"x.root: the server sends whole files only, .* Download the file"):
        locate(server.url("x.root")).open("rb")
    server.sized = False
    with pytest.raises(InputError, match="does not report the size of the file"):
        locate(server.url("x.root")).open("rb")


def test_a_server_that_goes_away(server: Server) -> None:
    server.files["big.bin"] = bytes(40_000_000)
    file = locate(server.url("big.bin")).open("rb")
    file.read(10)
    del server.files["big.bin"]
    file.seek(30_000_000)
    with pytest.raises(InputError, match=r"big.bin: "):
        file.read(10)


@pytest.mark.parametrize("scheme", ["http", "https", "root"])
def test_nobody_there(scheme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: connections are refused
        port = taken.getsockname()[1]
        with pytest.raises(InputError, match=rf"^{scheme}://127.0.0.1:{port}//x.root: the server cannot be reached"):
            locate(f"{scheme}://127.0.0.1:{port}//x.root").open("rb")


def test_root_is_registered_where_the_extra_is_installed() -> None:
    pytest.importorskip("fsspec_xrootd")
    import fsspec

    assert fsspec.get_filesystem_class("root").__name__ == "XRootDFileSystem"


def test_missing_packages_and_protocols(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match="foo://host/x: this kind of address is not known"):
        locate("foo://host/x").stat()
    monkeypatch.setitem(sys.modules, "aiohttp", None)
    with pytest.raises(
        MissingExtraError, match=r"Reading https://host/x.root needs the package aiohttp.*root_gnn\[io\]"
    ):
        locate("https://host/x.root").stat()


def test_other_file_systems(tmp_path: Path) -> None:
    import fsspec

    with fsspec.open("memory://folder/x.root", "wb") as file, uproot.recreate(tmp_path / "x.root") as local:
        local["Events"] = {"x": np.arange(5)}
        local.close()
        file.write((tmp_path / "x.root").read_bytes())
    with root.Config(tree="Events").open(locate("memory://folder/x.root")) as source:
        assert source.read(("x",), 1, 3)["x"].tolist() == [1, 2]


def test_hdf5_and_npz_from_a_server(server: Server, tmp_path: Path) -> None:
    with h5py.File(tmp_path / "f.h5", "w") as file:
        file["x"] = np.arange(2000.0)
    np.savez(tmp_path / "f.npz", x=np.arange(2000.0))
    for config, name in ((hdf5.Config(), "f.h5"), (npz.Config(), "f.npz")):
        server.files[name] = (tmp_path / name).read_bytes()
        with config.open(locate(server.url(name))) as source:
            assert source.n_entry == 2000
            assert source.read(("x",), 1500, 1503)["x"].tolist() == [1500, 1501, 1502]


def test_prepared_as_a_local_file(server: Server, data_dir: Path, tmp_path: Path) -> None:
    """A file on a server gives the graphs of the local one, and is read again only after it has changed."""
    server.files["WH.root"] = (data_dir / "WH.root").read_bytes()
    server.files["tt.root"] = (data_dir / "ttbar.root").read_bytes()
    here = tmp_path / "here"
    here.mkdir()
    for name in ("WH.root", "ttbar.root"):
        (here / name).write_bytes((data_dir / name).read_bytes())
    config = DataConfig(classes={"WH": (server.url("WH.root"),), "tt": (server.url("tt.root"),)})
    ours = open_table(config, tmp_path)
    theirs = open_table(DataConfig(classes={"WH": ("WH.root",), "tt": ("ttbar.root",)}), here)
    assert len(ours) == len(theirs)
    index = np.arange(len(ours))
    assert torch.equal(ours.gather(index).nodes, theirs.gather(index).nodes)
    assert np.array_equal(np.asarray(ours.ids), np.asarray(theirs.ids))
    before = server.sent
    open_table(config, tmp_path)
    assert server.sent - before < 100
    server.etag = '"2"'
    open_table(config, tmp_path)
    assert server.sent - before > 10_000
    with pytest.raises(InputError, match="there is no such file"):
        open_table(DataConfig(files=(server.url("none.root"),)), tmp_path)
    with pytest.raises(InputError, match="patterns are for local files"):
        open_table(DataConfig(files=(server.url("*.root"),)), tmp_path)


def test_read_and_iterate(server: Server, data_dir: Path) -> None:
    server.files["WH.root"] = (data_dir / "WH.root").read_bytes()
    spec = load_spec("events")
    assert read(server.url("WH.root"), spec, stop=20).tolist() == read(data_dir / "WH.root", spec, stop=20).tolist()
    assert sum(len(piece) for piece in iterate(server.url("WH.root"), spec)) == 300
