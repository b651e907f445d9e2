"""Mixed units: found where medians of pt are a factor of a unit apart, and nowhere else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from root_gnn.data.hygiene.units import between_files, energy_remarks, figure, inside_file, unit_remarks
from root_gnn.data.reading.findings import Findings
from root_gnn.data.reading.summary import Summary


def columns(**pt: Any) -> dict[str, dict[str, Any]]:
    """Columns of collections from a median, or from the values in the file's order."""
    found = {}
    for name, given in pt.items():
        summary = Summary()
        summary.add(np.full(100, given) if np.isscalar(given) else np.asarray(given))
        found[f"{name}.pt"] = summary.as_mapping()
    return found


def test_one_file_in_another_unit() -> None:
    paths = [Path(name) for name in ("a", "b", "c", "d")]
    found = between_files(
        paths, [columns(jet=50.0, met=20.0), columns(jet=60.0), columns(jet=45_000.0, met=21_000.0), columns(jet=70.0)]
    )
    assert len(found) == 2
    assert found[0].startswith("c: the median pt of jet is 45,000 GeV, but 60 GeV in b (1 of 4 files differ so).")
    assert found[1].startswith("c: the median pt of met is 21,000 GeV, but 20 GeV in a. ")


@pytest.mark.parametrize(
    "pair",
    [
        (columns(jet=30.0), columns(jet=3000.0)),  # soft and hard samples
        (columns(jet=30.0), columns(electron=30_000.0)),  # different collections
        (columns(jet=[0.03] * 19), columns(jet=30.0)),  # too few to tell
        (columns(jet=0.0), columns(jet=30.0)),
        ({}, columns(jet=30.0)),
    ],
)
def test_honest_differences(pair: Any) -> None:
    assert between_files([Path("a"), Path("b")], pair) == []


def test_a_merged_file() -> None:
    generator = np.random.default_rng(0)
    values = generator.exponential(50.0, 3000)
    assert inside_file(Path("a"), columns(jet=values)) == []
    values[2000:] *= 1000
    assert inside_file(Path("a"), columns(jet=values))[0].startswith("a: the median pt of jet is ")


def test_remarks_on_one_file() -> None:
    assert unit_remarks(columns(jet=50.0, met=30.0), alike=True) == []
    assert unit_remarks(columns(jet=50_000.0, met=30.0), alike=True) == [
        "median pt of jet is 50,000 GeV: is the unit MeV?"
    ]
    assert len(unit_remarks(columns(jet=50.0, muon=0.05), alike=True)) == 1
    assert unit_remarks(columns(jet=500.0, constituent=0.5), alike=False) == []


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0123456, "0.01235"), (50.06, "50.06"), (49341.2, "49,341"), (-1234.0, "-1,234"), (3e38, "3e+38")],
)
def test_figures(value: float, text: str) -> None:
    assert figure(value) == text


@pytest.mark.parametrize(
    ("factor", "remark"), [(1.0, False), (1e3, True), (1e-3, True), (0.99, False), (20.0, False), (0.5, True)]
)
def test_an_energy_in_another_unit_than_the_momentum(factor: float, remark: bool) -> None:
    findings = Findings()
    generator = np.random.default_rng(3)
    for size in (0, 100, 5000):
        pt, eta = generator.exponential(40.0, size).astype(np.float32), generator.normal(0, 1.3, size)
        findings.add_energy("jet", pt, eta, np.hypot(pt * np.cosh(eta), 8.0) * factor)
    said = energy_remarks(findings.as_mapping()["energy_over_momentum"])
    assert bool(said) == remark
    assert all("the median energy of jet is " in text for text in said)


def test_objects_at_rest_and_few_ones_say_nothing_of_units() -> None:
    findings = Findings()
    findings.add_energy("jet", np.zeros(50), np.zeros(50), np.ones(50))
    findings.add_energy("few", np.ones(3), np.zeros(3), np.full(3, 1e3))
    assert energy_remarks(findings.as_mapping()["energy_over_momentum"]) == []
