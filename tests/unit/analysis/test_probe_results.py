"""Tables and JSON of linear probes, from figures that are known."""

from __future__ import annotations

from root_gnn.analysis.probe_results import Gain, Probed, Probes
from root_gnn.metrics.bootstrap import PairedDifference, SeedMean

AUC = SeedMean(0.7, 0.69, 0.71, (0.7, 0.7, 0.7), 3)
UP = PairedDifference(0.1, 0.05, 0.15, (0.1, 0.1, 0.1), 3, True)


def probes(*, converged: bool = True, gains: tuple[Gain, ...] = ()) -> Probes:
    probed = Probed("pretrained", "run", 8, None, AUC, (1.0, 0.1, 1.0), (True, True, converged))
    return Probes("WHvsZH", ("WH", "ZH"), (1, 2, 3), {"train": 10, "test": 5}, (probed,), gains)


def test_a_table_has_a_row_for_each_representation() -> None:
    ((header, rows),) = probes().tables()
    assert header[3] == "AUC [68 %]"
    assert rows == [("pretrained", "8", "not defined", "0.7000 [0.6900, 0.7100]", "0.7000 0.7000 0.7000", "1 0.1 1")]


def test_gains_come_with_their_verdict() -> None:
    found = probes(gains=(Gain("pretrained", "inputs", None, UP),))
    content = found.content()
    assert content["differences"][0]["verdict"] == {"accuracy": "not defined", "auc": "above"}
    assert len(found.tables()) == 3
    assert "pretrained less inputs" in str(found)


def test_a_fit_that_did_not_converge_is_named() -> None:
    assert "before it converged: pretrained" in str(probes(converged=False))
    assert "before it converged" not in str(probes())
