"""The text of a drafted spec."""

from __future__ import annotations

import yaml

from root_gnn.data.inspection.draft import Draft, reason
from root_gnn.data.inspection.layout import BranchGroup


def test_a_draft_is_yaml_with_its_comments() -> None:
    content = {"name": "a", "nodes": {"jet": {"type": 0, "features": {"pt": "jet_pt"}}}, "weight": ["w"]}
    text = str(Draft(content, ["Check it."], {"weight": "a guess"}))
    assert text.startswith("# Check it.\n") and "# a guess" in text
    assert yaml.safe_load(text) == content


def test_the_reason_names_the_missing_branches() -> None:
    lacking = BranchGroup("Jet", 1, features={"pt": "Jet_pt"})
    assert "Jet has pt but no eta and no phi" in reason([lacking], [])
