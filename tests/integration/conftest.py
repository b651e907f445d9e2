"""The command line in this process, and a browser."""

from __future__ import annotations

import base64
import json
import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from root_gnn.cli import app as cli

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
MESSAGES = ("Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Log.entryAdded", "Network.requestWillBeSent")


@pytest.fixture
def leave() -> Callable[..., int]:
    """`leave(*arguments)` is the exit code of a command line; what handles SIGTERM is put back."""

    def run(*arguments: str) -> int:
        before = signal.getsignal(signal.SIGTERM)
        try:
            with pytest.raises(SystemExit) as left:
                cli.main(arguments)
        finally:
            signal.signal(signal.SIGTERM, before)
        assert isinstance(left.value.code, int)
        return left.value.code

    return run


class Browser:
    """Chromium without a window, spoken to through a pair of pipes (messages of JSON that end with a zero byte)."""

    def __init__(self, profile: Path) -> None:
        to_read, self._write = os.pipe()
        self._read, to_write = os.pipe()
        words = [
            str(CHROMIUM),
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--remote-debugging-pipe",
            f"--user-data-dir={profile}",
        ]
        redirect = f'exec "$0" "$@" 3<&{to_read} 4>&{to_write}'
        self._process = subprocess.Popen(
            ["bash", "-c", redirect, *words], pass_fds=(to_read, to_write), stderr=subprocess.DEVNULL
        )
        os.close(to_read)
        os.close(to_write)
        self._buffer, self._n_sent, self._session = b"", 0, ""
        self.events: list[Any] = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters: Any) -> Any:
        """The result of a method of the DevTools protocol; what happens meanwhile goes to `events`."""
        self._n_sent += 1
        message = {"id": self._n_sent, "method": method, "params": parameters} | (
            {"sessionId": self._session} if self._session else {}
        )
        os.write(self._write, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == self._n_sent:
                assert "error" not in answer, answer
                return answer["result"]
            self.events.append(answer)

    def _next(self) -> Any:
        while b"\0" not in self._buffer:
            part = os.read(self._read, 1 << 20)
            assert part, "the browser has ended"
            self._buffer += part
        message, self._buffer = self._buffer.split(b"\0", 1)
        return json.loads(message)

    def open(self, path: Path, *, width: int, dark: bool = False) -> None:
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False)
        self.call(
            "Emulation.setEmulatedMedia",
            features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}],
        )
        self.call("Page.navigate", url=path.as_uri())
        while not any(event.get("method") == "Page.loadEventFired" for event in self.events):
            self.events.append(self._next())
        self.events = [event for event in self.events if event.get("method") != "Page.loadEventFired"]

    def value(self, expression: str) -> Any:
        found = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def screenshot(self, path: Path) -> None:
        found = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(found["data"]))

    def told(self) -> list[Any]:
        """Errors, anything written to the console, and requests to anywhere but the page itself and what is in it."""
        named = [event for event in self.events if event.get("method") in MESSAGES]
        of_page = [
            event["params"]["request"]["url"].split(":")[0] for event in named if event["method"] == MESSAGES[-1]
        ]
        assert set(of_page) <= {"file", "data"}, of_page
        return [event for event in named if event["method"] != MESSAGES[-1]]

    def close(self) -> None:
        self._process.terminate()
        self._process.wait()


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Visibly skips where there is none."""
    if CHROMIUM is None:
        pytest.skip("no Chromium is installed")
    found = Browser(tmp_path_factory.mktemp("profile"))
    yield found
    found.close()
