"""One HTML page that needs nothing else: text is escaped here and nowhere else, pictures are part of the page."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path

STYLE = """
:root { color-scheme: light; }
body { font: 16px/1.5 system-ui, sans-serif; color: #1a1a1a; background: #fff; }
body { max-width: 74rem; margin: 0 auto; padding: 2rem 1.5rem 4rem; }
h1 { font-size: 1.8rem; line-height: 1.2; margin: 0 0 1rem; }
h2 { font-size: 1.3rem; border-top: 1px solid #ccc; padding-top: 1.5rem; margin: 2.5rem 0 0.8rem; }
h3 { font-size: 1.05rem; margin: 1.6rem 0 0.5rem; }
p, ul { max-width: 44rem; }
p.source { color: #555; font-size: 0.85rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: 0.85rem; margin: 0.8rem 0; font-variant-numeric: tabular-nums; }
th, td { text-align: left; vertical-align: top; padding: 0.3rem 0.8rem 0.3rem 0; border-bottom: 1px solid #e3e3e3; }
td:nth-child(n+3) { white-space: nowrap; }
th { border-bottom: 2px solid #888; font-weight: 600; }
.pictures { display: flex; flex-wrap: wrap; gap: 1rem 1.5rem; align-items: flex-start; }
figure { margin: 0.5rem 0; max-width: 100%; break-inside: avoid; }
.pictures figure { width: calc(50% - 0.75rem); min-width: 18rem; }
figure img { max-width: min(100%, 52rem); height: auto; }
figcaption { font-size: 0.85rem; color: #444; }
.note { background: #f5f3ea; border-left: 4px solid #a9842f; padding: 0.6rem 1rem; margin: 1rem 0; }
.note p { margin: 0.3rem 0; }
pre { font-size: 0.8rem; background: #f6f6f6; padding: 0.8rem 1rem; }
@media print {
  body { max-width: none; padding: 0; font-size: 10pt; }
  h2, h3 { break-after: avoid; }
  tr { break-inside: avoid; }
  .scroll { overflow: visible; }
  pre { white-space: pre-wrap; font-size: 7pt; }
  table { font-size: 7pt; }
  td { white-space: normal; }
}
"""


def page(title: str, parts: Iterable[str]) -> str:
    """The whole document from parts that the functions below made."""
    body = "\n".join(parts)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<meta name="viewport" content="width=device-width">\n'
        f"<title>{escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<h1>{escape(title)}</h1>\n{body}\n</body>\n</html>\n"
    )


def heading(text: str, level: int = 2) -> str:
    """A heading of a section (2) or a part of one (3)."""
    return f"<h{level}>{escape(text)}</h{level}>"


def paragraph(text: str, kind: str = "") -> str:
    """Plain text; `kind` is a class of the style sheet."""
    return f"<p{_kind(kind)}>{escape(text)}</p>"


def note(texts: Sequence[str]) -> str:
    """Paragraphs that must not be overlooked; nothing where there are none."""
    return f'<div class="note">{"".join(map(paragraph, texts))}</div>' if texts else ""


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Plain text in cells."""
    head = "".join(f"<th>{escape(cell)}</th>" for cell in header)
    body = "\n".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f'<div class="scroll"><table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table></div>'


def listing(lines: Iterable[str]) -> str:
    """Lines to be copied, each as it stands."""
    return f'<pre class="scroll">{escape(chr(10).join(lines))}</pre>'


def picture(path: Path, caption: str) -> str:
    """A PNG file as a part of the page; nothing where there is no such file."""
    if not path.is_file():
        return ""
    data = base64.b64encode(path.read_bytes()).decode("ascii")
    return f'<figure><img src="data:image/png;base64,{data}" alt="{escape(caption)}"><figcaption>{escape(caption)}</figcaption></figure>'


def pictures(found: Iterable[str]) -> str:
    """Several pictures, two in a row where there is room."""
    return f'<div class="pictures">{"".join(found)}</div>'


def _kind(kind: str) -> str:
    return f' class="{escape(kind)}"' if kind else ""
