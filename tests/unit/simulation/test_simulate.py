"""Whole files: reproducible, physical, and complete or not there."""

from __future__ import annotations

import gzip
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pytest
import uproot
import vector

pytest.importorskip("pythia8mc")
pytest.importorskip("fastjet")

from root_gnn.errors import InputError
from root_gnn.parallel.lock import exclusive_writer
from root_gnn.simulation.ntuple import read_metadata
from root_gnn.simulation.simulate import simulate

QUICK = {"mpi": "off"}
N = 520  # events of the shared files: a chunk and a bit
SCRIPT = """
import sys
from pathlib import Path
from root_gnn.simulation import simulate
if __name__ == "__main__":
    simulate.EVENTS_PER_CHUNK = 40
    simulate.simulate(["WH", "ZH", "ttH", "ttbar"], events=100, out=Path(sys.argv[1]), jobs=2, params={"mpi": "off"})
    simulate.simulate(["STOP"], events=100_000, out=Path(sys.argv[1]), jobs=2, params={"mpi": "off"})
"""


def _events(path: Path) -> ak.Array:
    with uproot.open(path) as file:
        return file["Events"].arrays()


def _objects(events: ak.Array, name: str) -> Any:
    columns = {
        "pt": events[f"{name}_pt"],
        "eta": events[f"{name}_eta"],
        "phi": events[f"{name}_phi"],
        "E": events[f"{name}_e"],
    }
    return ak.zip(columns, with_name="Momentum4D", behavior=vector.backends.awkward.behavior)


def _same(a: ak.Array, b: ak.Array) -> bool:
    return a.fields == b.fields and all(ak.array_equal(a[branch], b[branch]) for branch in a.fields)


def test_two_processes_write_what_one_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("root_gnn.simulation.simulate.EVENTS_PER_CHUNK", 50)
    one, two = (
        simulate(["ggF", "FCNC"], events=130, out=tmp_path / str(jobs), seed=5, jobs=jobs, params=QUICK)
        for jobs in (1, 2)
    )
    for alone, shared in zip(one, two, strict=True):
        assert _same(_events(alone), _events(shared))
        assert read_metadata(alone) == read_metadata(shared)
    assert sorted(path.name for path in (tmp_path / "2").iterdir()) == ["FCNC.root", "ggF.root"]


def test_seeds_and_event_numbers(simulated: Path, tmp_path: Path) -> None:
    (path,) = simulate(["ZH"], events=50, out=tmp_path, seed=6, params=QUICK)
    other, events = _events(path), _events(simulated / "ZH.root")
    assert len(events) == N and len(other) == 50
    assert len(np.unique(events.eventNumber)) == N
    for branch in ("eventNumber", "higgs_pt"):
        assert not np.intersect1d(ak.to_numpy(other[branch]), ak.to_numpy(events[branch])).size


def test_the_same_files_are_kept_and_others_never_overwritten(tmp_path: Path) -> None:
    def make(**changes: Any) -> Path:
        return simulate(["WH"], **{"events": 20, "out": tmp_path, "seed": 1, "params": QUICK, **changes})[0]

    path = make()
    stamp = path.stat().st_mtime_ns
    assert make().stat().st_mtime_ns == stamp
    wrong: tuple[tuple[dict[str, Any], str], ...] = (
        ({"seed": 2}, "20 events of WH with seed 1"),
        ({"events": 21}, "20 events"),
        ({"params": {}}, "other settings"),
    )
    for changes, message in wrong:
        with pytest.raises(InputError, match=message):
            make(**changes)
    assert path.stat().st_mtime_ns == stamp
    make(seed=2, overwrite=True)
    metadata = read_metadata(path)
    assert metadata is not None and metadata.seed == 2


def test_metadata(simulated: Path) -> None:
    metadata = read_metadata(simulated / "ttbar.root")
    assert metadata is not None
    assert metadata.generator == "Pythia 8.317"
    assert metadata.n_kept == N <= metadata.n_tried == metadata.sum_of_weights
    assert abs(metadata.cross_section - 500) < 5 * metadata.cross_section_error + 20
    assert 0 < metadata.cross_section_error < 30
    assert "Top:gg2ttbar=on" in metadata.settings and "met_noise" in metadata.settings


def test_resonances_are_where_they_should_be(simulated: Path) -> None:
    events = _events(simulated / "ZH.root")
    assert ak.all(events.n_higgs == 1) and ak.all(events.n_Z == 1)
    assert ak.mean(events.higgs_m) == pytest.approx(125.0, abs=0.1)
    assert np.median(events.Z_m) == pytest.approx(91.2, abs=1.0)
    leptons = [
        pair for name in ("mu", "ele") for pair in [_objects(events, name)] for pair in [pair[ak.num(pair) == 2]]
    ]
    masses = np.concatenate([np.asarray((pair[:, 0] + pair[:, 1]).mass) for pair in leptons])
    assert len(masses) > 10
    assert np.median(masses) == pytest.approx(91.0, abs=3.0)
    jets = _objects(events, "jet")[events.jet_truthflav == 5]
    pairs = jets[(ak.num(jets) == 2) & (events.Z_pt > 0)]
    assert 95 < np.median((pairs[:, 0] + pairs[:, 1]).mass) < 125
    tops = _events(simulated / "ttbar.root")
    assert np.median(tops.top1_m) == pytest.approx(172.5, abs=1.0) and ak.all(tops.n_top == 2)


def test_tag_rates_by_flavour(simulated: Path) -> None:
    events = _events(simulated / "ttbar.root")
    inside = abs(events.jet_eta) < 2.5
    for flavour, rate in ((5, 0.70), (4, 0.10), (0, 0.01)):
        tags = ak.to_numpy(ak.flatten(events.jet_btag[inside & (events.jet_truthflav == flavour)]))
        assert abs(tags.mean() - rate) < 4 * np.sqrt(rate * (1 - rate) / len(tags))
    assert not ak.any(events.jet_btag[~inside])


def test_one_charge_is_as_good_as_the_other_in_fcnc(simulated: Path) -> None:
    events = _events(simulated / "FCNC.root")
    assert ak.all(events.n_higgs == 1) and ak.all(events.n_top == 2)
    charges = np.concatenate([ak.to_numpy(ak.flatten(events[f"{name}_charge"])) for name in ("ele", "mu")])
    assert abs(charges.mean()) < 4 / np.sqrt(len(charges))
    first, second = charges[: len(charges) // 2], charges[len(charges) // 2 :]
    assert abs(first.mean() - second.mean()) < 6 / np.sqrt(len(first))  # the two halves of the process are shuffled


def test_stop_masses_are_parameters(tmp_path: Path) -> None:
    light, heavy = (
        simulate(["STOP"], events=30, out=tmp_path / name, params={**QUICK, "mstop": mass})[0]
        for name, mass in (("light", "400"), ("heavy", "1200"))
    )
    assert np.mean(_events(heavy).met_met) > 1.5 * np.mean(_events(light).met_met)
    old, new = read_metadata(light), read_metadata(heavy)
    assert old is not None and new is not None and old.cross_section > 100 * new.cross_section


def test_real_les_houches_files(real_data: Path, tmp_path: Path) -> None:
    for path in sorted((real_data / "lhe").glob("*.lhe.gz")):
        (out,) = simulate([], events=40, out=tmp_path, lhe=path, params=QUICK)
        events, metadata = _events(out), read_metadata(out)
        assert len(events) == 40
        assert ak.all(events.n_top == (2 if "tt" in path.name else 0))
        assert ak.all(events.n_Z == (0 if "tt" in path.name else 2))
        assert metadata is not None
        assert metadata.sum_of_weights == pytest.approx(
            metadata.n_tried * metadata.cross_section, rel=1e-3
        )  # weighted in pb


def test_weights_of_a_file_keep_their_sign(real_data: Path, tmp_path: Path) -> None:
    text = gzip.decompress((real_data / "lhe" / "pp2tt_run01.lhe.gz").read_bytes()).decode()
    weight = re.search(r"<event[^>]*>\s*\d+\s+\S+\s+\+(\S+)", text)
    assert weight is not None
    blocks = text.split("<event")
    flipped = "<event".join(
        block.replace("+" + weight[1], "-" + weight[1], 1) if i % 4 == 1 else block for i, block in enumerate(blocks)
    )
    (tmp_path / "signed.lhe").write_text(flipped)
    (path,) = simulate([], events=100, out=tmp_path, lhe=tmp_path / "signed.lhe", params=QUICK)
    metadata = read_metadata(path)
    weights = ak.to_numpy(_events(path).weight)
    assert metadata is not None
    assert 15 <= (weights < 0).sum() <= 25
    assert metadata.sum_of_weights < 0.6 * metadata.n_tried * abs(weights).mean()


def test_chunks_of_a_file_do_not_overlap(real_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("root_gnn.simulation.simulate.EVENTS_PER_CHUNK", 30)
    source = real_data / "lhe" / "pp2tt_run01.lhe.gz"
    (path,) = simulate(["tW"], events=1000, out=tmp_path, lhe=source, params=QUICK)
    events = _events(path)
    metadata = read_metadata(path)
    assert metadata is not None and metadata.n_tried == 100
    assert len(np.unique(events.eventNumber)) == len(events) == metadata.n_kept
    assert len(np.unique(events.top1_pt)) == len(events)
    assert ak.all(events.process == 11)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"processes": ["WHH"]}, "did you mean"),
        ({"processes": []}, "at least one"),
        ({"processes": ["WH", "WH"]}, "twice"),
        ({"events": 0}, "--events 0"),
        ({"seed": -1}, "--seed -1"),
        ({"jobs": 0}, "--jobs 0"),
        ({"level": "jets"}, "expected one of"),
        ({"resimulate": 0}, "--resimulate 0"),
        ({"level": "jet"}, "did you mean jets"),
        ({"params": {"masss": "3"}}, "no such parameter"),
        ({"lhe": Path("missing.lhe"), "processes": ["tW"]}, "no such file"),
        ({"lhe": Path("x.lhe"), "processes": ["a", "b"]}, "one process"),
    ],
)
def test_wrong_requests_are_refused_before_any_work(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    arguments: dict[str, Any] = {"processes": ["WH"], "events": 5, "out": tmp_path / "out", **changes}
    with pytest.raises(InputError, match=message):
        simulate(arguments.pop("processes"), **arguments)
    assert not (tmp_path / "out").exists()


def _wait_for(path: Path, process: subprocess.Popen[bytes]) -> None:
    for _ in range(3000):
        if path.exists():
            return
        assert process.poll() is None, "ended before it could be interrupted"
        time.sleep(0.02)
    pytest.fail(f"{path} did not come")


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_an_interrupted_run_leaves_complete_files_and_is_repaired(tmp_path: Path, how: signal.Signals) -> None:
    script, out = tmp_path / "run.py", tmp_path / "out"
    script.write_text(SCRIPT)
    arguments = [sys.executable, str(script), str(out)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    process = subprocess.Popen(
        arguments,
        env=environment,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a suite started in the background ignores it
    )
    _wait_for(out / "WH.root", process)
    process.send_signal(how)
    assert process.wait(timeout=30) != 0
    complete = {path.name for path in out.iterdir() if not path.name.startswith(".")}
    assert "WH.root" in complete and "STOP.root" not in complete
    assert all(len(_events(out / name)) == 100 for name in complete)
    if how == signal.SIGINT:
        assert {path.name for path in out.iterdir()} == complete
    _wait_until_alone(process.pid)
    (out / ".ZH.root.left.root").write_text("half a file")
    everything = ["WH", "ZH", "ttH", "ttbar"]
    simulate(everything, events=100, out=out, params=QUICK)
    assert {path.name for path in out.iterdir()} == {f"{name}.root" for name in everything}


def test_two_writers_of_a_file_do_not_meet(tmp_path: Path) -> None:
    (tmp_path / ".WH.root.half.root").write_text("half a file")
    with (
        exclusive_writer(tmp_path / "WH.root", lambda: None),
        pytest.raises(InputError, match="another simulate is writing it"),
    ):
        simulate(["WH"], events=5, out=tmp_path, params=QUICK)


def _wait_until_alone(session: int) -> None:
    """Workers must end with their parent, even where it was killed."""
    for _ in range(200):
        try:
            os.killpg(session, 0)
        except ProcessLookupError:
            return
        time.sleep(0.1)
    pytest.fail("workers outlived their parent")
