"""Sphinx settings: `pip install -e ".[docs]"`, then `sphinx-build -W docs docs/_build`."""

from __future__ import annotations

project = "root_gnn"
author = "The root_gnn developers"
extensions = ["myst_parser"]
html_theme = "furo"
exclude_patterns = ["_build"]
myst_heading_anchors = 3
