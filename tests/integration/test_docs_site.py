"""The documentation as a site: it builds without a warning, links lead somewhere, it fits a browser; and the tutorial
runs.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

DOCS = Path(__file__).parents[2] / "docs"
TUTORIAL = DOCS / "tutorial.ipynb"
MAIN = (
    "index",
    "start",
    "tutorial",
    "data",
    "simulation",
    "pretrain",
    "finetune",
    "study",
    "compare",
    "deploy",
    "extend",
    "physics",
    "statistics",
    "results",
    "model",
    "api/index",
    "api/training",
)
SMALL = {
    "EVENTS, EPOCHS, FEW = 900, 6, 150": "EVENTS, EPOCHS, FEW = 250, 1, 40",
    "train.max_epochs=15": "train.max_epochs=1",
}
JUPYTER = ("IPYTHONDIR", "JUPYTER_RUNTIME_DIR")  # else in the home folder
pytestmark = pytest.mark.skipif(not TUTORIAL.is_file(), reason="the documentation is not installed beside the tests")


class Page(HTMLParser):
    """What a page links to, what can be linked to in it, and what it loads."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.links: set[str] = set()
        self.anchors: set[str] = set()
        self.loads: set[str] = set()
        self.without_words: list[str] = []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        self.anchors |= {found[name] for name in ("id", "name") if name in found}
        if tag == "a" and "href" in found:
            self.links.add(found["href"])
        if tag in ("script", "img", "link"):
            self.loads.add(found.get("src") or found.get("href") or "")
        if tag == "img" and len(found.get("alt", "")) < 6 and "logo" not in found.get("class", ""):
            self.without_words.append(found["src"][:60])


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """`build(notebooks_run=...)` is the folder of a site built with warnings as errors; skips where Sphinx is not
    installed.
    """
    for package in ("sphinx", "furo", "myst_parser", "sphinx_copybutton", "nbclient"):
        pytest.importorskip(package)

    def run(*, notebooks_run: bool) -> Path:
        folder = tmp_path_factory.mktemp("site")
        command = [
            sys.executable,
            "-m",
            "sphinx",
            "-W",
            "--keep-going",
            "-q",
            "-D",
            f"notebooks_run={int(notebooks_run)}",
            "-d",
            str(folder / "doctrees"),
            str(DOCS),
            str(folder / "html"),
        ]
        elsewhere = {name: str(folder / name) for name in JUPYTER}
        done = subprocess.run(
            command,
            env={**os.environ, **elsewhere, "OMP_NUM_THREADS": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return folder / "html"

    return run


def check_links(site: Path) -> None:
    """Every link inside the site leads to a page, and to a place in it that is there; nothing is loaded from
    elsewhere.
    """
    pages = {path: Page(path) for path in site.rglob("*.html")}
    wrong = []
    for path, page in pages.items():
        for link in page.links | page.loads:
            parts = urlsplit(link)
            if parts.scheme == "data" or (parts.scheme and link in page.links and link not in page.loads):
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            place = unquote(parts.fragment)
            if parts.scheme or parts.netloc:
                wrong.append(f"{path.relative_to(site)} loads {link} from elsewhere")
            elif not target.is_file():
                wrong.append(f"{path.relative_to(site)}: there is no {link}")
            elif place and target in pages and place not in pages[target].anchors:
                wrong.append(f"{path.relative_to(site)}: {link} leads to no place in that page")
        wrong += [f"{path.relative_to(site)}: a picture without words, {one}" for one in page.without_words]
    assert not wrong, "\n".join(wrong)


def test_it_builds_without_a_warning_and_no_link_is_broken(build: Callable[..., Path]) -> None:
    site = build(notebooks_run=False)
    check_links(site)
    told = (site / "searchindex.js").read_text(encoding="utf-8")
    assert all(f'"{name}"' in told for name in MAIN)
    assert "<math" in (site / "statistics.html").read_text(encoding="utf-8")
    reference = (site / "api" / "training.html").read_text(encoding="utf-8")
    assert (
        'id="root_gnn.runs.train.finetune"' in reference
        and "size of the training subset, in total over classes" in reference
    )


@pytest.mark.slow
def test_pages_of_the_site_in_a_browser(build: Callable[..., Path], browser: Any) -> None:
    site = build(notebooks_run=True)
    check_links(site)
    pictures = Page(site / "tutorial.html").loads
    assert sum(one.startswith("data:image/png") for one in pictures) == 4
    for path in site.rglob("*.html"):
        name = path.relative_to(site).with_suffix("").as_posix()
        for width, dark in ((1280, False), (390, False), *(((1280, True), (390, True)) if name in MAIN else ())):
            browser.open(path, width=width, dark=dark)
            assert browser.value("document.documentElement.scrollWidth") <= width, (name, width)
            assert browser.value("[...document.images].every(one => one.naturalWidth > 0)"), name
            shade = re.findall(r"\d+", browser.value("getComputedStyle(document.body).backgroundColor"))
            assert (sum(map(int, shade[:3])) < 200) == dark, (name, dark, shade)
    browser.open(site / "search.html", width=1280)
    browser.value("location.assign('search.html?q=rejection')")
    found = 0
    for _ in range(50):  # the page says nowhere that it has found all there is
        time.sleep(0.2)
        found = browser.value("document.querySelectorAll('#search-results li a').length")
        if found > 2:
            break
    assert found > 2, "searching for `rejection` finds nothing"
    assert browser.told() == []


@pytest.mark.pythia
def test_the_tutorial_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On fewer events than it says: the full one is run when the site is built, in the slow test above."""
    nbformat, nbclient = pytest.importorskip("nbformat"), pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    notebook = nbformat.read(TUTORIAL, as_version=4)
    text = "".join(cell.source for cell in notebook.cells)
    assert all(text.count(size) == 1 for size in SMALL)
    for cell in notebook.cells:
        for size, smaller in SMALL.items():
            cell.source = cell.source.replace(size, smaller)
        assert cell.cell_type == "markdown" or (cell.outputs, cell.execution_count) == ([], None), (
            "outputs are not kept"
        )
    for name in JUPYTER:
        monkeypatch.setenv(name, str(tmp_path / name))
    resources = {"metadata": {"path": str(tmp_path)}}
    nbclient.NotebookClient(notebook, timeout=300, kernel_name="python3", resources=resources).execute()
    pictured = [
        cell for cell in notebook.cells if any("image/png" in one.get("data", {}) for one in cell.get("outputs", ()))
    ]
    assert len(pictured) == 4 and all(len(cell.metadata.alt) > 20 for cell in pictured)
    assert (tmp_path / "cka" / "cka.json").is_file()
