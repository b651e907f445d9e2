"""Notes on a conversion."""

from __future__ import annotations

from pathlib import Path

from root_gnn.convert.converted import Converted, Notes


def test_notes_are_paragraphs_of_a_file_and_lists_on_the_terminal() -> None:
    notes = Notes(different=["folds"])
    notes.lose("a.b", "no such key")
    assert notes.head("x.yaml")[1:] == ["Not translated: a.b: no such key.", "Different here: folds."]
    assert str(Converted({Path("s.yaml"): ""}, notes)).splitlines() == [
        "wrote s.yaml",
        "",
        "Not translated:",
        "- a.b: no such key",
        "",
        "Different here:",
        "- folds",
    ]
