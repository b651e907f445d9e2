"""The conformance suite runs over the plug-ins that are found by file name, so these must be among them."""

from __future__ import annotations

from root_gnn.config.plugins import names


def test_the_plugins_of_this_release_are_found() -> None:
    assert "encode_process_decode" in names("models")
    assert {"linear", "mlp"} <= set(names("heads"))
    assert {"multiclass", "multilabel"} <= set(names("objectives"))
    assert {"reflect_eta", "rotate_phi"} <= set(names("augmentations"))
