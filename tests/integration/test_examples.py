"""Each file of `examples/` runs, and shows what it says."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from root_gnn import testing
from root_gnn.cli import main
from root_gnn.runs.run import load_run

TOP = Path(__file__).parents[2]
EXAMPLES = TOP / "examples"

pytestmark = pytest.mark.skipif(not EXAMPLES.is_dir(), reason="the tests run outside the checkout, without examples/")


def run(script: str, *arguments: str | Path) -> list[str]:
    """The lines that a script prints."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run(
        [sys.executable, EXAMPLES / script, *arguments], capture_output=True, text=True, check=False, env=environment
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.fixture
def from_the_top(monkeypatch: pytest.MonkeyPatch) -> None:
    """The checkout is the current folder, and is searched for modules."""
    monkeypatch.chdir(TOP)
    monkeypatch.syspath_prepend(str(TOP))


@pytest.mark.usefixtures("from_the_top")
def test_the_parts_meet_their_contracts() -> None:
    from examples import own_encoder, own_objective

    testing.check_encoder(own_encoder.Config(dim=16).build)
    testing.check_objective(own_objective.Config().build)


@pytest.mark.usefixtures("from_the_top")
def test_the_mass_of_two_back_to_back_objects_is_the_sum_of_their_energies() -> None:
    import torch

    from examples import own_encoder, own_objective
    from root_gnn.graph.batch import Batch
    from root_gnn.protocols import Question

    question = Question()
    encoder = own_encoder.Config().build(question.features, question.scaling)
    nodes = torch.zeros(3, len(question.features.nodes))
    column = question.features.column
    nodes[:, column("pt")] = nodes[:, column("energy")] = torch.tensor([40.0, 40.0, 30.0])
    nodes[1, column("phi")] = np.pi
    batch = Batch.of(nodes, torch.tensor([2, 1, 0]))
    mass = own_objective.Config().build(encoder, question).mass(batch)
    # one massless object and none: at least 1 GeV
    torch.testing.assert_close(mass, torch.tensor([[80.0], [1.0], [1.0]]))


@pytest.mark.usefixtures("from_the_top")
@pytest.mark.parametrize("settings", [[], ["--set", "objective={name: examples.own_objective}"]])
def test_the_recipe_trains(settings: list[str], data_dir: Path, tmp_path: Path) -> None:
    arguments = ["train", "examples/own_encoder.yaml", "--data-dir", str(data_dir), "--run-dir", str(tmp_path / "run")]
    with pytest.raises(SystemExit) as left:
        main([*arguments, *settings])
    assert left.value.code == 0
    done = load_run(tmp_path / "run", allow_plugins=["examples.own_encoder", "examples.own_objective"])
    assert len(done.history["val/loss"]) == 2
    assert np.isfinite(done.history["val/loss"]).all()
    assert type(done.encoder).__name__ == "MomentumFlow"


def test_own_root_file(tmp_path: Path) -> None:
    events, muons, jets, nodes = (line.split() for line in run("own_root_file.py", tmp_path))
    n_muon, n_jet = int(muons[1]), int(jets[1])
    assert events == ["n_event", "200"]
    assert n_muon > 0 and float(muons[3]) >= 20.0  # GeV, from MeV in the file
    assert n_jet > 0 and float(jets[3]) >= 25.0
    assert int(nodes[1]) == n_muon + n_jet + 200  # a missing transverse momentum in each event


def test_cka_of_two_runs(tmp_path: Path) -> None:
    similarity = {line.split()[0]: float(line.split()[1]) for line in run("cka_of_two_runs.py", tmp_path)}
    assert set(similarity) == {"encoder", "step_1", "step_2"}
    assert all(0.2 < value < 0.9999 for value in similarity.values())  # the same events, other weights


def test_the_readme_has_a_line_for_each_file() -> None:
    listed = set(re.findall(r"\]\(([^)#]+)\)", (EXAMPLES / "README.md").read_text("utf-8")))
    files = {
        path.relative_to(EXAMPLES).as_posix()
        for path in EXAMPLES.rglob("*.*")
        if path.suffix in (".py", ".yaml", ".cpp")
    }
    assert files <= listed
    assert all((EXAMPLES / name).exists() for name in listed)
