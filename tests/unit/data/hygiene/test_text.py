"""The report as text."""

from __future__ import annotations

from root_gnn.data.hygiene.report import FileReport, Report, WeightSummary
from root_gnn.data.hygiene.text import as_text, short_names, text_columns

WEIGHTS = WeightSummary(4, 2.0, 1, 0, 1.5)


def report(n_file: int, remarks: tuple[str, ...]) -> Report:
    files = tuple(
        FileReport(f"/d/{i}.root", (), 4, 4, {}, 0, 3, WEIGHTS, remarks if i == 0 else ()) for i in range(n_file)
    )
    return Report("events", files, {}, {}, (), ())


def test_numbers_are_aligned_to_the_right_and_words_to_the_left() -> None:
    assert text_columns([("file", "read"), ("a", "1"), ("long", "1,000")]) == [
        "file   read",
        "a         1",
        "long  1,000",
    ]


def test_of_many_files_those_with_remarks_are_listed() -> None:
    text = as_text(report(41, ("odd",)))
    assert "41 files, spec events: 164 entries read, 164 graphs kept" in text
    assert "0.root: odd" in text and "and 40 more without remarks" in text
    assert "25.0 %" in text  # one of four weights is negative


def test_names_are_shortened_by_the_common_folder() -> None:
    assert short_names(report(2, ())) == {"/d/0.root": "0.root", "/d/1.root": "1.root"}
