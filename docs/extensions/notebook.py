"""Notebooks as pages: their cells as Markdown, run when the site is built with `-D notebooks_run=1`.

So that outputs are never kept.
"""

from __future__ import annotations

import tempfile
from typing import Any

import nbformat
from docutils import nodes
from myst_parser.parsers.sphinx_ import MystParser
from nbclient import NotebookClient
from sphinx.application import Sphinx

MISSING = "*Outputs are left out: this site was built without running the notebook.*"


class NotebookParser(MystParser):
    """Reads `.ipynb`."""

    supported = ("ipynb",)

    def parse(self, inputstring: str, document: nodes.document) -> None:
        """Parses the notebook's Markdown."""
        notebook = nbformat.reads(inputstring, as_version=4)
        has_outputs = document.settings.env.config.notebooks_run
        if has_outputs:
            run(notebook)
        text = [markdown(cell) for cell in notebook.cells]
        super().parse("\n\n".join(text if has_outputs else [*text[:1], MISSING, *text[1:]]), document)


def run(notebook: nbformat.NotebookNode) -> None:
    """Runs all cells in a temporary folder; raises at the first that fails."""
    with tempfile.TemporaryDirectory() as folder:
        NotebookClient(notebook, timeout=600, kernel_name="python3", resources={"metadata": {"path": folder}}).execute()


def markdown(cell: nbformat.NotebookNode) -> str:
    """A cell with its outputs; a picture's words are the cell's metadata `alt`."""
    if cell.cell_type == "markdown":
        return str(cell.source)
    outputs = "\n\n".join(filter(None, (of_output(output, cell.metadata.get("alt", "")) for output in cell.outputs)))
    return f"```python\n{cell.source}\n```\n\n{outputs}"


def of_output(output: Any, alt: str) -> str:
    """A picture, or text of the standard output or a value; progress on the standard error is left out."""
    data = output.get("data", {})
    if "image/png" in data:
        return f"![{alt}](data:image/png;base64,{data['image/png'].replace(chr(10), '')})"
    text = data.get("text/plain") or (output.get("text", "") if output.get("name") == "stdout" else "")
    return f"```text\n{text.rstrip()}\n```" if text else ""


def setup(app: Sphinx) -> dict[str, bool]:
    """What Sphinx calls."""
    app.add_config_value("notebooks_run", False, "env", bool)
    app.add_source_suffix(".ipynb", "ipynb")
    app.add_source_parser(NotebookParser)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
