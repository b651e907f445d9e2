"""What an objective without labels must not see is gone, and everything else stays."""

from __future__ import annotations

import torch

from root_gnn.graph.features import Features
from root_gnn.graph.scaling import Affine, Scaling
from root_gnn.objectives.parts.drop_globals import DropGlobals
from root_gnn.protocols import Question
from root_gnn.testing import QUESTION, random_batch

FEATURES = Features(globals=("n_node", "jet_pt", "jet_mass"))


def test_labels_and_globals_are_dropped_and_the_number_of_nodes_stays() -> None:
    scaling = Scaling(globals={"jet_pt": Affine("linear", 500.0, 10.0)})
    batch = random_batch(FEATURES, [2, 3], seed=1, question=QUESTION)
    dropped = DropGlobals(Question(features=FEATURES, scaling=scaling))(batch)
    assert dropped.labels == {}
    assert dropped.globals.tolist() == [[2.0, 500.0, 0.0], [3.0, 500.0, 0.0]]
    for name in ("nodes", "n_node", "ids", "weights"):
        assert torch.equal(getattr(dropped, name), getattr(batch, name))


def test_the_means_are_no_part_of_a_checkpoint() -> None:
    assert DropGlobals(Question(features=FEATURES)).state_dict() == {}
