"""Files on a server: a `pathlib.Path` whose name is a URL."""

from __future__ import annotations

import hashlib
import io
import os
import re
import socket
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

from root_gnn.errors import InputError, MissingExtraError

ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
WEB = ("http", "https")
PACKAGES = {"http": "aiohttp", "https": "aiohttp", "root": "fsspec-xrootd"}
NOT_FOUND = (404, 410)
XROOTD_PORT = 1094
CONNECT_SECONDS = 15
READ_SECONDS = 30
STAMPS = (
    "ETag",
    "etag",
    "Last-Modified",
    "mtime",
    "modified",
    "LastModified",
    "last_modified",
    "Content-MD5",
    "checksum",
)
DOWNLOAD = "Download the file and name the copy."


def locate(location: Path | str) -> Path:
    """A local path, or a `Remote` for an address (`https://host/file.root`, `root://host//store/file.root`).

    Raises InputError where an address contains a glob pattern.
    """
    if isinstance(location, Path):
        return location
    return Remote(location) if is_address(location) else Path(location)


def is_address(text: str) -> bool:
    """Whether a text names a file on a server (`protocol://...`).

    Raises InputError where it contains a glob pattern.
    """
    if not ADDRESS.match(text):
        return False
    if any(sign in text.partition("?")[0].partition("://")[2] for sign in "*["):
        raise InputError(
            f"{text}: patterns are for local files, a server does not list its files. Name each file by its address; "
            "write %2A and %5B for a * and a [ that belong to a name."
        )
    return True


class Remote(PosixPath):
    """A read-only file on a server that can be used as a `pathlib.Path`: opened, measured by `stat`, named in messages.

    Bytes are read in ranges through fsspec. The file is identified by its address, its size and the version the server
    reports (ETag or time of change), which `stat` returns as a time. Methods raise InputError naming the address if the
    server, the file or a package is missing. Code that needs a local file is refused.
    """

    address: str
    _has_ranges: bool

    def __new__(cls, address: str) -> Remote:
        """The file at an address; the server is not contacted yet."""
        self = super().__new__(cls, address)
        self.address, self._has_ranges = address, False
        return self

    if sys.version_info >= (3, 12):  # a path of Python 3.11 is complete after __new__

        def __init__(self, address: str) -> None:
            super().__init__(address)

    def __str__(self) -> str:
        return self.address

    def __repr__(self) -> str:
        return f"Remote({self.address!r})"

    def __fspath__(self) -> str:
        raise InputError(f"{self.address}: this is needed as a local file. {DOWNLOAD}")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Remote) and other.address == self.address

    def __hash__(self) -> int:
        return hash(self.address)

    def __reduce__(self) -> tuple[type[Remote], tuple[str]]:
        return Remote, (self.address,)

    @property
    def name(self) -> str:
        """The last part of the address, without the query."""
        return unquote(urlsplit(self.address).path.rstrip("/").rpartition("/")[2])

    @property
    def scheme(self) -> str:
        """The protocol of the address, in lower case."""
        return urlsplit(self.address).scheme.lower()

    def options(self) -> dict[str, Any]:
        """The options of fsspec's file system: timeouts, and for web servers proxies and logins."""
        if self.scheme in WEB:
            try:
                import aiohttp
            except ImportError as error:
                raise MissingExtraError("aiohttp", "io", f"Reading {self.address}") from error
            timeout = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS, sock_read=READ_SECONDS)
            # trust_env: proxies from HTTPS_PROXY, logins from .netrc
            return {"client_kwargs": {"timeout": timeout, "trust_env": True}}
        return {"timeout": CONNECT_SECONDS} if self.scheme == "root" else {}

    def resolve(self, strict: bool = False) -> Remote:
        """Returns `self`: URLs have no symlinks."""
        del strict  # part of the signature of Path.resolve
        return self

    absolute = resolve

    def is_absolute(self) -> bool:
        """True: a URL does not depend on the current folder."""
        return True

    def is_file(self, **_: Any) -> bool:
        """Whether the server has the file; raises InputError if the server does not answer."""
        return self._facts() is not None

    exists = is_file

    def is_dir(self, **_: Any) -> bool:
        """False: folders on servers are not supported."""
        return False

    def stat(self, *, follow_symlinks: bool = True) -> os.stat_result:
        """Size in bytes, and a modification time derived from the server's version of the file.

        Raises InputError if there is no such file.
        """
        del follow_symlinks  # part of the signature of Path.stat
        info = self._known()
        stamp = "".join(f"{key}={info[key]};" for key in STAMPS if info.get(key) is not None)
        time = int.from_bytes(hashlib.sha256(stamp.encode()).digest()[:7], "little") if stamp else 0
        seconds = time // 10**9
        return os.stat_result((0o100444, 0, 0, 1, 0, 0, info["size"], seconds, seconds, seconds), {"st_mtime_ns": time})

    def identity(self) -> str:
        """Hexadecimal digest of address, size and version, in place of a checksum of the bytes."""
        status = self.stat()
        return hashlib.sha256(f"{self.address}\n{status.st_size}\n{status.st_mtime_ns}".encode()).hexdigest()

    def open(self, mode: str = "rb", *_: Any, **__: Any) -> Any:
        """Opens the file for reading byte ranges; raises InputError if that fails."""
        if mode != "rb":
            raise InputError(f"{self.address}: files on a server can only be read.")
        self._known()
        with self._errors_named():
            filesystem, path = self._filesystem()
            return io.BufferedReader(_Bytes(self, filesystem.open(path, "rb")), 2**16)

    def _known(self) -> dict[str, Any]:
        info = self._facts()
        if info is None:
            raise InputError(f"{self.address}: there is no such file on the server.")
        return info

    def _facts(self) -> dict[str, Any] | None:
        with self._errors_named():
            filesystem, path = self._filesystem()
            try:
                info = dict(filesystem.info(path))
            except FileNotFoundError as error:  # fsspec raises it for servers that do not answer, too
                if error.__cause__ is None or getattr(error.__cause__, "status", None) in NOT_FOUND:
                    return None
                raise error.__cause__ from error
            self._check(info, filesystem, path)
            return info

    def _check(self, info: dict[str, Any], filesystem: Any, path: str) -> None:
        if info.get("type") == "directory":
            raise InputError(f"{self.address}: this is a folder; the address of a file was expected.")
        if info.get("mimetype") == "text/html":
            raise InputError(
                f"{self.address}: the server answers with an HTML page, most likely its error or login page."
            )
        if info.get("size") is None:
            raise InputError(
                f"{self.address}: the server does not report the size of the file, so parts of it cannot be read. "
                f"{DOWNLOAD}"
            )
        if self.scheme in WEB and info["size"] > 1 and not self._has_ranges:
            # a server may answer each request for a range with the whole file; fsspec then raises here
            with filesystem.open(path, "rb", cache_type="none") as file:
                file.seek(1)
                file.read(1)
            self._has_ranges = True

    def _filesystem(self) -> tuple[Any, str]:
        import fsspec

        if self.scheme == "root":
            _reach(self.address)
            # at exit, XRootD touches every live object, deprecated ones of torch included
            warnings.filterwarnings("ignore", category=FutureWarning, module=r"XRootD\.")
        try:
            filesystem, path = fsspec.core.url_to_fs(self.address, **self.options())
        except ImportError as error:
            package = PACKAGES.get(self.scheme)
            if package:
                raise MissingExtraError(package, "io", f"Reading {self.address}") from error
            raise InputError(
                f"{self.address}: {self.scheme}:// needs a package that is not installed. ({error})"
            ) from error
        return filesystem, path

    @contextmanager
    def _errors_named(self) -> Iterator[None]:
        """Turns any exception of its block into an InputError that names the address."""
        try:
            yield
        except InputError:
            raise
        except Exception as error:
            raise InputError(f"{self.address}: {_reason(error)}") from error


class _Bytes(io.RawIOBase):
    """An open file of fsspec whose errors name the address."""

    def __init__(self, remote: Remote, file: Any) -> None:
        self._remote, self._file = remote, file

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        return int(self._file.seek(offset, whence))

    def tell(self) -> int:
        return int(self._file.tell())

    def readinto(self, buffer: Any) -> int:
        with self._remote._errors_named():
            content = self._file.read(len(buffer))
        buffer[: len(content)] = content
        return len(content)

    def close(self) -> None:
        if not self.closed:
            self._file.close()
        super().close()


def _reach(address: str) -> None:
    """Raises OSError if no server answers within seconds; XRootD's own client takes minutes."""
    parts = urlsplit(address)
    socket.create_connection((parts.hostname or "", parts.port or XROOTD_PORT), timeout=CONNECT_SECONDS).close()


def _reason(error: Exception) -> str:
    text = (
        f"({type(error).__name__}: {str(error).strip().splitlines()[0][:160] if str(error).strip() else 'no message'})"
    )
    status = getattr(error, "status", None)
    if status is not None:
        return f"the server answers with the error {status}; check the address, and whether a login is needed. {text}"
    if "range requests" in str(error):
        return f"the server sends whole files only, no parts of them (no range requests). {DOWNLOAD} {text}"
    if isinstance(error, ValueError) and "rotocol not known" in str(error):
        return f"this kind of address is not known; https:// and root:// are. {text}"
    if isinstance(error, OSError | TimeoutError | ValueError):
        return f"the server cannot be reached, or the connection broke; check the address and the network. {text}"
    return f"the file cannot be read from the server; try again. {text}"
