"""Pages in a real browser: no console errors, no sideways scrolling, tables sort, pictures have words; light and dark."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from root_gnn import plots
from root_gnn.analysis.page import heading, listing, page, paragraph, picture, pictures, table

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = [pytest.mark.slow, pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")]
MESSAGES = ("Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Log.entryAdded", "Network.requestWillBeSent")


class Browser:
    """Chromium without a window, spoken to through a pair of pipes (messages of JSON that end with a zero byte)."""

    def __init__(self, profile: Path) -> None:
        to_read, self._write = os.pipe()
        self._read, to_write = os.pipe()
        words = [str(CHROMIUM), "--headless=new", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe", f"--user-data-dir={profile}"]
        redirect = f'exec "$0" "$@" 3<&{to_read} 4>&{to_write}'
        self._process = subprocess.Popen(["bash", "-c", redirect, *words], pass_fds=(to_read, to_write), stderr=subprocess.DEVNULL)
        os.close(to_read)
        os.close(to_write)
        self._buffer, self._n_sent, self._session, self.events = b"", 0, "", []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters: Any) -> Any:
        """The result of a method of the DevTools protocol; what happens meanwhile goes to `events`."""
        self._n_sent += 1
        message = {"id": self._n_sent, "method": method, "params": parameters} | ({"sessionId": self._session} if self._session else {})
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
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])
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
        of_page = [event["params"]["request"]["url"].split(":")[0] for event in named if event["method"] == MESSAGES[-1]]
        assert set(of_page) <= {"file", "data"}, of_page
        return [event for event in named if event["method"] != MESSAGES[-1]]

    def close(self) -> None:
        self._process.terminate()
        self._process.wait()


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    found = Browser(tmp_path_factory.mktemp("profile"))
    yield found
    found.close()


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page with everything that pages are made of, some of it wide."""
    folder = tmp_path_factory.mktemp("page")
    sizes = {"scratch": {100: plots.Interval(0.5, 0.4, 0.6), 1000: plots.Interval(0.6, 0.5, 0.7)}}
    plots.training_size(sizes, folder / "size.svg")
    plots.training_size(sizes, folder / "size.png")
    rows = [
        ("ten", "10 ± 1", "\N{EN DASH}"), ("two", "2", "1,200"), ("thousand", "1,000 [900, 1,100]", "-3.5"),
        ("less", "-1.5e-3", "not defined"),
    ]  # fmt: skip
    wide = tuple(f"a long name of column {k}" for k in range(14))
    parts = [
        *(heading(f"Section {k}") for k in range(4)), paragraph("word " * 60), paragraph("w" * 300), table(("name", "size", "left"), rows),
        table(wide, [wide]), listing(["root-gnn " + "--set x=y " * 60]),
        pictures([picture(folder / "size.svg", "A picture."), picture(folder / "size.png", "Another one.")]),
    ]  # fmt: skip
    path = folder / "page.html"
    path.write_text(page("A page", parts), encoding="utf-8")
    return path


def check(browser: Browser, path: Path) -> None:
    """What holds of every page."""
    for width in (1280, 390):
        for dark in (False, True):
            browser.open(path, width=width, dark=dark)
            assert browser.value("document.documentElement.scrollWidth") <= width
            assert browser.value("[...document.images].every(one => one.alt.length > 5 && one.naturalWidth > 0)")
            assert browser.value("getComputedStyle(document.body).backgroundColor") == ("rgb(20, 20, 20)" if dark else "rgb(255, 255, 255)")
    n_table = browser.value("document.querySelectorAll('table').length")
    for k in range(n_table):
        sort = f"document.querySelectorAll('table')[{k}].querySelectorAll('th button')[1].click()"
        rows = f"[...document.querySelectorAll('table')[{k}].tBodies[0].rows].map(row => row.textContent)"
        before = browser.value(rows)
        browser.value(sort)
        assert sorted(browser.value(rows)) == sorted(before)
    assert browser.told() == []


def column(browser: Browser, clicks: list[int], shown: int = 0) -> list[str]:
    for place in clicks:
        browser.value(f"document.querySelector('table').querySelectorAll('th button')[{place}].click()")
    return list(browser.value(f"[...document.querySelector('table').tBodies[0].rows].map(row => row.cells[{shown}].textContent)"))


def test_every_part_of_a_page(browser: Browser, sample: Path) -> None:
    check(browser, sample)


def test_tables_are_put_in_order_by_number_or_name_with_what_is_not_defined_last(browser: Browser, sample: Path) -> None:
    browser.open(sample, width=1280)
    assert column(browser, [1]) == ["less", "two", "ten", "thousand"]
    assert column(browser, [1]) == ["thousand", "ten", "two", "less"]
    assert browser.value("document.querySelectorAll('th')[1].ariaSort") == "descending"
    assert column(browser, [2])[:2] == ["thousand", "two"] and set(column(browser, [])[2:]) == {"ten", "less"}
    assert column(browser, [2])[:2] == ["two", "thousand"]
    assert column(browser, [0]) == ["less", "ten", "thousand", "two"]


STUDY = """
name: small
tasks: [WHvsZH]
pretrained:
  multiclass: {recipe: pretrain_multiclass, set: ["data.classes={WH: WH.root, ZH: ZH.root}"]}
modes: [finetuned, frozen]
train_events: [40, 80]
seeds: [1, 2]
"""


def test_the_pages_of_a_study_and_of_runs(browser: Browser, tmp_path: Path, data_dir: Path) -> None:
    (tmp_path / "small.yaml").write_text(STUDY)
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "ROOT_GNN_DATA": str(data_dir)}
    for words in (["study", "small.yaml", "--tiny", "--out", "out"], ["report", "out/runs/WHvsZH_scratch_n40_s1", "--out", "report.html"]):
        done = subprocess.run([sys.executable, "-m", "root_gnn.cli", *words], cwd=tmp_path, env=environment, capture_output=True, text=True,
                              check=False)  # fmt: skip
        assert done.returncode == 0, done.stderr
    check(browser, tmp_path / "out" / "study.html")
    assert browser.value("[...document.querySelectorAll('td a')].length") == 13
    check(browser, tmp_path / "report.html")
