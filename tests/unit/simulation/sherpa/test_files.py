"""Les Houches files of Sherpa's events, written and read."""

from __future__ import annotations

import gzip
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from root_gnn.simulation.lhe import count_events
from root_gnn.simulation.sherpa.files import SherpaEvents, cross_section, made_by, read_events, write_events
from root_gnn.simulation.sherpa.program import RunCardSection


def _events(n_event: int = 3) -> SherpaEvents:
    """Two gluons to a top pair, at rest."""
    legs = np.array([[21, -1, 0, 0], [21, -1, 0, 0], [6, 1, 1, 2], [-6, 1, 1, 2]])
    energy = 173.0 * np.sqrt(2.0)
    momenta = np.zeros((n_event, 4, 4))
    momenta[:, :, 3] = energy
    momenta[:, :2, 2] = energy, -energy
    momenta[:, 2:, 0] = 173.0, -173.0
    mass = np.tile([0.0, 0.0, 173.0, 173.0], (n_event, 1))
    scale = 400.0 + np.arange(n_event)
    return SherpaEvents(scale, np.full(n_event, 0.118), np.tile(legs, (n_event, 1, 1)), momenta, mass, "Sherpa 3.0.1")


def _write(path: Path, events: SherpaEvents) -> Path:
    colours = np.tile([[501, 502], [502, 503], [501, 0], [0, 503]], (len(events), 1, 1))
    sections = [RunCardSection(1.5, 0.03), RunCardSection(2.0, 0.04)]
    write_events(path, events, colours, sections=sections, card="EVENTS: 3\n", ecm=13000.0)
    return path


def test_events_come_back(tmp_path: Path) -> None:
    path, events = _write(tmp_path / "a.lhe.gz", _events()), _events()
    assert count_events(path) == 3 and made_by(path) == "Sherpa 3.0.1"
    assert cross_section(path) == RunCardSection(3.5, 0.05)  # errors add up in quadrature
    plain = tmp_path / "a.lhe"
    plain.write_bytes(gzip.decompress(path.read_bytes()))
    again = read_events(plain)
    np.testing.assert_array_equal(again.legs, events.legs)
    np.testing.assert_allclose(again.momenta, events.momenta, rtol=1e-8)
    np.testing.assert_array_equal(again.scale, events.scale)
    assert again.pdg[0].tolist() == [21, 21, 6, -6]


def test_the_same_events_are_the_same_bytes(tmp_path: Path) -> None:
    first, second = (_write(tmp_path / f"{name}.lhe.gz", _events()) for name in "ab")
    other = _write(tmp_path / "c.lhe.gz", replace(_events(), scale=_events().scale + 1.0))
    assert first.read_bytes() == second.read_bytes() != other.read_bytes()


def test_events_of_different_weights_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.lhe"
    text = gzip.decompress(_write(tmp_path / "a.lhe.gz", _events()).read_bytes()).decode()
    path.write_text(text.replace("4 1 1 401", "4 1 2 401"))
    with pytest.raises(ValueError, match="of one weight"):
        read_events(path)


def test_a_file_without_init_block_has_no_cross_section(tmp_path: Path) -> None:
    path = tmp_path / "a.lhe.gz"
    path.write_bytes(gzip.compress(b"<LesHouchesEvents>\n"))
    with pytest.raises(ValueError, match="no <init> block"):
        cross_section(path)
