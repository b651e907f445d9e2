"""Counters of energy as Linux shows them, in files of our own."""

from __future__ import annotations

from pathlib import Path

from root_gnn.study.execution.energy import energy_used


def zone(folder: Path, name: str, called: str, value: int) -> Path:
    (folder / name).mkdir()
    for file, content in {"name": called, "max_energy_range_uj": "10000000", "energy_uj": str(value)}.items():
        (folder / name / file).write_text(f"{content}\n")
    return folder / name / "energy_uj"


def test_packages_are_added_up_parts_are_not_and_a_counter_may_come_round(tmp_path: Path) -> None:
    one, other = (
        zone(tmp_path, "intel-rapl:0", "package-0", 1_000_000),
        zone(tmp_path, "intel-rapl:1", "package-1", 9_500_000),
    )
    core = zone(tmp_path, "intel-rapl:0:0", "core", 0)
    with energy_used(tmp_path) as found:
        assert found.joules is None
        one.write_text("3500000\n")
        other.write_text("500000\n")
        core.write_text("900000\n")
    assert found.joules == 2.5 + 1.0


def test_nothing_is_told_where_nothing_counts(tmp_path: Path) -> None:
    (tmp_path / "intel-rapl:0").mkdir()  # without files, as where reading them is not allowed
    for folder in (tmp_path, tmp_path / "nowhere"):
        with energy_used(folder) as found:
            pass
        assert found.joules is None
