"""Which configurations are converted, and where files go."""

from __future__ import annotations

from pathlib import Path

import pytest

from root_gnn.convert.convert import convert
from root_gnn.errors import InputError

WEAVER = """
treename: tree
inputs:
  pf_vectors: {length: 10, vars: [[px, null], [py, null], [pz, null], [e, null]]}
labels: {type: simple, value: [a, b]}
"""


def test_a_weaver_configuration_becomes_a_spec_next_to_no_other_file(tmp_path: Path) -> None:
    (tmp_path / "top.yaml").write_text(WEAVER)
    converted = convert(tmp_path / "top.yaml", out=tmp_path / "out")
    assert list(converted.files) == [tmp_path / "out" / "top_spec.yaml"]
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["top_spec.yaml"]
    with pytest.raises(InputError, match="exists; name another folder"):
        convert(tmp_path / "top.yaml", out=tmp_path / "out")


def test_another_yaml_file_is_refused_with_its_keys(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("x: 1\ny: 2\n")
    with pytest.raises(InputError, match="its keys are x, y"):
        convert(tmp_path / "a.yaml", out=tmp_path)
