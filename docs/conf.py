"""Sphinx settings; `scripts/docs` builds the site."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "extensions"))

project = "root_gnn"
author = "The root_gnn developers"
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx_copybutton", "modules", "mathml", "notebook"]
exclude_patterns = ["_build"]

html_theme = "furo"
html_title = "root_gnn"
html_static_path = ["static"]
html_css_files = ["wide.css"]
html_math_renderer = "mathml"
html_copy_source = False
html_domain_indices = False
html_use_index = False
html_show_search_summary = False  # summaries are fetched, which browsers refuse for pages from a disk
html_show_copyright = False
add_module_names = False

myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 4

# What these packages are needed for is imported late; the reference is built without them.
autodoc_mock_imports = ["dgl", "torch_geometric", "pythia8mc", "fastjet"]
autodoc_default_options = {"members": True, "member-order": "bysource", "exclude-members": "model_config"}
toc_object_entries = False
autodoc_typehints_format = "short"
python_use_unqualified_type_names = True
