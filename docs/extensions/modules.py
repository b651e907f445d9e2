"""The directive `modules`: documents every module of packages from its docstrings.

Are Markdown with sections such as `Args:`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

import root_gnn
from root_gnn.config.section import Section

PACKAGE = Path(root_gnn.__file__).parent
SECTIONS = ("Args:", "Attributes:")
LONGEST_DEFAULT = 60


class Modules(SphinxDirective):
    """Each line names a module, or a package and with it all of its modules."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        """A section for each module."""
        names = [name for line in self.content for name in modules_of(line)]
        text = "\n\n".join(f"## `{name}`\n\n```{{eval-rst}}\n.. automodule:: {name}\n```" for name in names)
        return self.parse_text_to_nodes(text, allow_section_headings=True)


def modules_of(name: str) -> list[str]:
    """The module itself, or the modules of a package in order of their names."""
    folder = PACKAGE.joinpath(*name.split(".")[1:])
    if not folder.is_dir():
        return [name]
    return [f"{name}.{file.stem}" for file in sorted(folder.glob("*.py")) if file.stem != "__init__"]


def as_rst(_app: Sphinx, _what: str, _name: str, thing: object, _options: object, lines: list[str]) -> None:
    """Code in single backquotes gets double ones, sections become lists.

    What else would be markup stands for itself.
    """
    parts = re.split(r"(`[^`]*`)", "\n".join(lines))
    escaped = "".join(f"`{part}`" if k % 2 else re.sub(r"([*_|])", r"\\\1", part) for k, part in enumerate(parts))
    lines[:] = with_lists(escaped.split("\n"))
    if isinstance(thing, type) and issubclass(thing, Section):
        lines += keys_of(thing)


def keys_of(section: type[Section]) -> Iterator[str]:
    """The keys of a section of YAML with their defaults."""
    if section.model_fields:
        yield from ("", "**Keys and defaults**", "")
    for name, field in section.model_fields.items():
        default = "" if field.is_required() else repr(field.get_default(call_default_factory=True))
        yield f"- ``{name}``" + (f": ``{default}``" if 0 < len(default) < LONGEST_DEFAULT else "")


def with_lists(lines: list[str]) -> Iterator[str]:
    """`Args:` and what is indented below it as a heading and a list."""
    in_section = False
    for line in lines:
        in_section = line in SECTIONS or (in_section and line[:1] in ("", " "))
        if line in SECTIONS:
            yield from ("", f"**{line[:-1]}**", "")
        elif in_section and re.match(r" {4}\S", line):
            name, _, rest = line.strip().partition(": ")
            yield f"- ``{name.replace(chr(92), '')}``: {rest}"
        else:
            yield f"  {line.strip()}" if in_section and line else line


def setup(app: Sphinx) -> dict[str, bool]:
    """What Sphinx calls."""
    app.add_directive("modules", Modules)
    app.connect("autodoc-process-docstring", as_rst)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
