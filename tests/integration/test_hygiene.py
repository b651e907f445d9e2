"""What is said about real files, as their README knows them, and that none of them is refused for it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from root_gnn.config.loader import validate
from root_gnn.data.cache.prepare import prepare_shards
from root_gnn.data.events.config import DataConfig
from root_gnn.data.events.table import open_table
from root_gnn.data.hygiene.report import FileSet, Report, examine
from root_gnn.data.hygiene.text import as_text
from root_gnn.data.spec.spec import load_spec
from root_gnn.errors import InputError

KNOWN: dict[tuple[str, str], dict[str, Any]] = {
    ("nanoaod/nano_dy.root", "cms_nanoaod"): {"negative": 9},
    ("nanoaod/nanoAOD_2015_CMS_Open_Data_ttbar.root", "cms_nanoaod"): {"negative": 26},
    ("nanoaod/nano_tt_v12.root", "cms_nanoaod_v12"): {"negative": 1},
    ("nanoaod/nano_tt_v15.root", "cms_nanoaod_v15_fatjets"): {"graphs": 64, "empty": 2},
    ("flat/uproot-HZZ.root", "hzz"): {"zero": 10, "negative": 0},
    ("flat/uproot-Zmumu.root", "zmumu"): {"says": "There are 1,804 such events among 2,304"},
    ("flat/uproot-issue243-new.root", "hh4b_scalars"): {"graphs": 502 + 316 + 336},
    ("flat/uproot-issue-816.root", "atlas_minitree"): {"says": "jet: not in falling order of pt in 80 graphs"},
    ("rntuple/Run2012BC_DoubleMuParked_Muons_1000evts_rntuple_v1-0-0-0.root", "dimuon_rntuple"): {
        "graphs": 1000,
        "empty": 23,
    },
    ("hdf5/spanet_full_hadronic_ttbar.h5", "spanet"): {"graphs": 10_000, "empty": 0},
}


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROOT_GNN_CACHE", str(tmp_path / "cache"))


def report(folder: Path, file: str, spec_name: str) -> Report:
    spec = load_spec(spec_name).variation()
    files = prepare_shards(spec, [folder / file], data_dir=folder)
    return examine(FileSet(files, spec, classes=spec.label.names if spec.label else ()))


@pytest.mark.parametrize(("file", "spec"), KNOWN)
def test_real_files_are_reported_on_and_not_refused(real_data: Path, file: str, spec: str) -> None:
    found, known = report(real_data, file, spec), KNOWN[file, spec]
    assert found.problems == ()
    one = found.files[0]
    facts: dict[str, Any] = {
        "graphs": one.n_graph,
        "empty": one.n_empty,
        "negative": one.weights.n_negative,
        "zero": one.weights.n_zero,
        "says": as_text(found),
    }
    for name, value in known.items():
        assert value in facts[name] if isinstance(value, str) else facts[name] == value, name


def test_the_same_events_in_two_files_are_found(real_data: Path) -> None:
    config = validate(
        DataConfig, {"spec": "cms_nanoaod", "files": ["nanoaod/nano_dy.root", "rntuple/nano_dy_rntuple.root"]}
    )
    with pytest.raises(
        InputError, match=r"nano_dy_rntuple\.root: .*nano_dy\.root has\. There are 40 .* 80, with the same objects"
    ):
        open_table(config, real_data)
    others = ["nanoaod/nano_dy.root", "nanoaod/nano_dimuon.root", "nanoaod/nanoAOD_2015_CMS_Open_Data_ttbar.root"]
    assert len(open_table(validate(DataConfig, {"spec": "cms_nanoaod", "files": others}), real_data)) == 280
