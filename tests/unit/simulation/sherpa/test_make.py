"""Files of hard events: whole, with colours, one cross section, the same for the same seed."""

from __future__ import annotations

import gzip
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from root_gnn.errors import InputError
from root_gnn.simulation.lhe import count_events
from root_gnn.simulation.process import all_processes, find_process
from root_gnn.simulation.sherpa.files import cross_section, made_by, read_events
from root_gnn.simulation.sherpa.make import HardEventsRequest, make_hard_events
from root_gnn.simulation.sherpa.program import find_program
from root_gnn.simulation.sherpa.shipped import shipped_file

NAMES = [process.name for process in all_processes() if process.card is not None]


def request(path: Path, program: Path, name: str = "ttW", *, events: int = 40, seed: int = 1) -> HardEventsRequest:
    process = find_process(name)
    assert process.card is not None
    return HardEventsRequest(path, program, process.card, process.id, events, seed, 13000.0)


def test_a_file_is_whole_and_the_same_for_a_seed(sherpa: Path, tmp_path: Path) -> None:
    paths = [make_hard_events(request(tmp_path / f"{i}.lhe.gz", sherpa, seed=seed)) for i, seed in enumerate((1, 1, 2))]
    assert paths[0].read_bytes() == paths[1].read_bytes() != paths[2].read_bytes()
    assert count_events(paths[0]) == 40
    assert made_by(paths[0]) == "Sherpa 3.0.9"
    section = cross_section(paths[0])
    assert (section.value, section.error) == pytest.approx((0.5, 0.003 * 2**0.5), rel=2e-3)
    text = gzip.decompress(paths[0].read_bytes()).decode()
    assert request(paths[0], sherpa).text.strip() in text
    weights = {line.split()[2] for line in text.split("<init>")[1].splitlines() if len(line.split()) == 6}
    assert weights == {"1"}


def test_momenta_survive_to_nine_digits(sherpa: Path, tmp_path: Path) -> None:
    path = make_hard_events(request(tmp_path / "a.lhe.gz", sherpa))
    plain = tmp_path / "a.lhe"
    plain.write_bytes(gzip.decompress(path.read_bytes()))
    events = read_events(plain)
    incoming, outgoing = events.momenta[:, :2].sum(axis=1), events.momenta[:, 2:].sum(axis=1)
    np.testing.assert_allclose(incoming, outgoing, atol=1e-4)
    squared = events.momenta[..., 3] ** 2 - (events.momenta[..., :3] ** 2).sum(axis=2)
    np.testing.assert_allclose(squared, events.mass**2, atol=0.05)


def test_another_number_of_events_is_refused(sherpa: Path, tmp_path: Path) -> None:
    card = request(tmp_path / "a.lhe.gz", sherpa).card
    more = replace(card, selectors="SELECTORS:\n- [x, 6 -> 6]\n")
    with pytest.raises(InputError, match=r"cross sections of 2 reactions, but Sherpa gave 40 and 3;"):
        make_hard_events(replace(request(tmp_path / "a.lhe.gz", sherpa), card=more))
    assert not (tmp_path / "a.lhe.gz").exists()


@pytest.mark.slow
def test_sherpa_itself(tmp_path: Path) -> None:
    program = find_program()
    if program is None:
        pytest.skip("no Sherpa")
    first, again = (make_hard_events(request(tmp_path / f"{i}.lhe.gz", program, "tW", events=30)) for i in range(2))
    assert first.read_bytes() == again.read_bytes()
    assert abs(cross_section(first).value / cross_section(shipped_file("tW")).value - 1.0) < 0.02
