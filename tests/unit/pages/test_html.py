"""Parts of a page."""

from __future__ import annotations

from root_gnn.pages.html import Link, heading, note, page, paragraph, table


def test_text_is_escaped_and_a_link_leads_to_its_path() -> None:
    assert paragraph("a < b & c") == "<p>a &lt; b &amp; c</p>"
    cells = table(("run", "x"), [(Link("r<1>", "runs/r 1/"), "1")])
    assert 'href="runs/' in cells and "r&lt;1&gt;" in cells and cells.count("<th") == 3, "two columns and thead"


def test_only_sections_have_a_name_to_link_to() -> None:
    assert heading("WH vs ZH: how fast") == '<h2 id="wh-vs-zh-how-fast">WH vs ZH: how fast</h2>'
    assert heading("Data", 3) == "<h3>Data</h3>"


def test_a_page_of_many_sections_begins_with_links_to_them() -> None:
    sections = [heading(name) for name in ("A", "B", "C", "D")]
    assert page("T", sections).count('<li><a href="#') == 4 and "<nav" not in page("T", sections[:3])
    assert note([]) == "" and "<div" in note(["a"])
