"""One HTML page that needs nothing else: text is escaped here and nowhere else, pictures are part of the page."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path
from typing import NamedTuple

FEWEST_SECTIONS = 4

STYLE = """
:root { color-scheme: light dark; --ink: #1a1a1a; --soft: #555; --paper: #fff; --line: #ccc; --shade: #f5f5f3; }
:root { --mark: #a9842f; }
body { font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); overflow-wrap: break-word; }
body { max-width: 74rem; margin: 0 auto; padding: 2rem 1.5rem 4rem; }
h1 { font-size: 1.8rem; line-height: 1.2; margin: 0 0 1rem; }
h2 { font-size: 1.3rem; border-top: 1px solid var(--line); padding-top: 1.5rem; margin: 2.5rem 0 0.8rem; }
h3 { font-size: 1.05rem; margin: 1.6rem 0 0.5rem; }
p, ul { max-width: 44rem; }
a { color: inherit; text-underline-offset: 0.15em; }
nav ul { columns: 14rem; list-style: none; padding: 0; font-size: 0.9rem; max-width: none; }
p.source { color: var(--soft); font-size: 0.85rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: 0.85rem; margin: 0.8rem 0; font-variant-numeric: tabular-nums; }
th, td { text-align: left; vertical-align: top; padding: 0.3rem 0.8rem 0.3rem 0; border-bottom: 1px solid var(--line); }
td:nth-child(n+3) { white-space: nowrap; }
td:first-child { min-width: 10rem; }
th { border-bottom: 2px solid var(--soft); font-weight: 600; }
th button { all: unset; cursor: pointer; }
th button:focus-visible { outline: 2px solid var(--mark); outline-offset: 2px; }
th button::after { content: "\\a0\\2195"; color: var(--soft); font-weight: 400; }
th[aria-sort=ascending] button::after { content: "\\a0\\2191"; color: inherit; }
th[aria-sort=descending] button::after { content: "\\a0\\2193"; color: inherit; }
.pictures { display: flex; flex-wrap: wrap; gap: 1rem 1.5rem; align-items: flex-start; }
figure { margin: 0.5rem 0; max-width: 100%; break-inside: avoid; }
.pictures figure { width: calc(50% - 0.75rem); min-width: min(18rem, 100%); }
figure img { max-width: min(100%, 52rem); height: auto; }
figcaption { font-size: 0.85rem; color: var(--soft); max-width: 44rem; }
.note { background: var(--shade); border-left: 4px solid var(--mark); padding: 0.6rem 1rem; margin: 1rem 0; }
.note p { margin: 0.3rem 0; }
.said { color: var(--soft); font-style: italic; }
summary { cursor: pointer; margin: 0.8rem 0; }
pre { font-size: 0.8rem; background: var(--shade); padding: 0.8rem 1rem; overflow-wrap: normal; }
@media screen and (prefers-color-scheme: dark) {
  :root { --ink: #e4e4e0; --soft: #a3a39d; --paper: #141414; --line: #3c3c3a; --shade: #20201e; --mark: #c79f45; }
  figure img { filter: invert(0.922) hue-rotate(180deg); }
}
@media (max-width: 40rem) {
  body { padding: 1rem 0.9rem 3rem; }
  .pictures figure { width: 100%; }
}
@media print {
  body { max-width: none; padding: 0; font-size: 10pt; }
  h2, h3 { break-after: avoid; }
  tr { break-inside: avoid; }
  .scroll { overflow: visible; }
  th button::after { content: "" !important; }
  nav { display: none; }
  pre { white-space: pre-wrap; font-size: 7pt; }
  table { font-size: 7pt; }
  td { white-space: normal; }
}
"""

# A click on the head of a column sorts the rows by it, a second one in reverse; cells that begin with a number count
# as that number.
SCRIPT = """
for (const table of document.querySelectorAll("table")) {
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => head.querySelector("button").addEventListener("click", () => {
    const up = head.getAttribute("aria-sort") !== "ascending";
    const text = row => row.cells[column].textContent.trim();
    const number = row => parseFloat(text(row).replace(/[,\\s]/g, ""));
    const isEmpty = row => /^(\u2013|not .*)?$/.test(text(row));
    const rows = [...table.tBodies[0].rows], full = rows.filter(row => !isEmpty(row));
    const areNumbers = full.every(row => /^[-+]?\\d/.test(text(row)));
    full.sort((a, b) => areNumbers ? number(a) - number(b) : text(a).localeCompare(text(b)));
    if (!up) full.reverse();
    table.tBodies[0].append(...full, ...rows.filter(isEmpty));
    heads.forEach(other => other.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", up ? "ascending" : "descending");
  }));
}
"""
HEADING = re.compile(r'<h2 id="([^"]*)">(.*?)</h2>')
KINDS = {".png": "image/png", ".svg": "image/svg+xml"}


class Link(NamedTuple):
    """A cell that leads to a file, by a path from where the page lies."""

    text: str
    path: str


def page(title: str, parts: Iterable[str]) -> str:
    """The whole document from parts that the functions below made, with links to its sections where they are many."""
    body = "\n".join(parts)
    sections = HEADING.findall(body)
    links = "".join(f'<li><a href="#{name}">{text}</a></li>' for name, text in sections)
    contents = f'<nav aria-label="Sections"><ul>{links}</ul></nav>' if len(sections) >= FEWEST_SECTIONS else ""
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{STYLE}</style>\n"
        f"</head>\n<body>\n<h1>{escape(title)}</h1>\n{contents}\n{body}\n<script>{SCRIPT}</script>\n</body>\n</html>\n"
    )


def heading(text: str, level: int = 2) -> str:
    """A heading of a section (2), which can be linked to, or of a part of one (3)."""
    name = f' id="{re.sub("[^a-z0-9]+", "-", text.lower()).strip("-")}"' if level == 2 else ""
    return f"<h{level}{name}>{escape(text)}</h{level}>"


def paragraph(text: str, kind: str = "") -> str:
    """Plain text; `kind` is a class of the style sheet."""
    return f"<p{_kind(kind)}>{escape(text)}</p>"


def note(texts: Sequence[str]) -> str:
    """Paragraphs that must not be overlooked; nothing where there are none."""
    return f'<div class="note">{"".join(map(paragraph, texts))}</div>' if texts else ""


def table(header: Sequence[str], rows: Iterable[Sequence[str | Link]]) -> str:
    """Plain text or links in cells; a reader can order the rows by any column."""
    head = "".join(f'<th scope="col"><button type="button">{escape(cell)}</button></th>' for cell in header)
    body = "\n".join("<tr>" + "".join(f"<td>{_cell(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return (
        f'<div class="scroll" tabindex="0"><table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody>\n'
        "</table></div>"
    )


def _cell(cell: str | Link) -> str:
    return f'<a href="{escape(cell.path)}">{escape(cell.text)}</a>' if isinstance(cell, Link) else escape(cell)


def items(texts: Iterable[str]) -> str:
    """A list of sentences."""
    return f"<ul>{''.join(f'<li>{escape(text)}</li>' for text in texts)}</ul>"


def folded(summary: str, parts: Iterable[str]) -> str:
    """Parts that a reader unfolds."""
    return f"<details><summary>{escape(summary)}</summary>\n{chr(10).join(parts)}\n</details>"


def said(text: str) -> str:
    """Why something that a reader looks for is not there."""
    return paragraph(text, "said")


def listing(lines: Iterable[str]) -> str:
    """Lines to be copied, each as it stands."""
    return f'<pre class="scroll" tabindex="0">{escape(chr(10).join(lines))}</pre>'


def picture(path: Path, caption: str) -> str:
    """A PNG or SVG file as a part of the page; nothing where there is no such file."""
    if not path.is_file():
        return ""
    data = f"data:{KINDS[path.suffix]};base64,{base64.b64encode(path.read_bytes()).decode('ascii')}"
    return f'<figure><img src="{data}" alt="{escape(caption)}"><figcaption>{escape(caption)}</figcaption></figure>'


def pictures(found: Iterable[str]) -> str:
    """Several pictures, two in a row where there is room."""
    return f'<div class="pictures">{"".join(found)}</div>'


def _kind(kind: str) -> str:
    return f' class="{escape(kind)}"' if kind else ""
