"""`prepare` from a recipe, a task or a spec: the files it reads, its policies, and the cache folder."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pytest
import uproot
import yaml

from root_gnn.cli import app as cli
from root_gnn.config.loader import validate
from root_gnn.data.cache.prepare import cache_dir
from root_gnn.data.events.config import DataConfig
from root_gnn.data.events.table import open_table
from root_gnn.data.spec.spec import load_spec
from root_gnn.errors import InputError
from root_gnn.runs.prepare import prepare

N = 40
SPEC: dict[str, Any] = {
    "name": "ours",
    "source": {"name": "root", "tree": "Events"},
    "nodes": {"jet": {"type": 0, "features": {"pt": "jet_pt", "eta": "jet_eta", "phi": "jet_phi"}}},
    "id": ["event"],
    "weight": ["w"],
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("ROOT_GNN_CACHE", raising=False)
    write(tmp_path / "data" / "one.root")
    write(tmp_path / "data" / "two.root", first=N)
    return tmp_path / "data"


def write(path: Path, *, first: int = 0, **changed: Any) -> None:
    """A file of `N` events with two jets each."""
    generator = np.random.default_rng(first)
    shape = (N, 2)
    columns = {
        "jet_pt": -np.sort(-generator.exponential(50.0, shape)),
        "jet_eta": generator.normal(0.0, 1.0, shape),
        "jet_phi": generator.uniform(-3.0, 3.0, shape),
        "w": np.ones(N),
        "event": np.arange(first, first + N),
        **changed,
    }
    path.parent.mkdir(exist_ok=True)
    with uproot.recreate(path) as file:
        lists = {name: ak.from_regular(column) if np.ndim(column) == 2 else column for name, column in columns.items()}
        file.mktree(
            "Events",
            {name: "var * float64" if np.ndim(columns[name]) == 2 else columns[name].dtype for name in columns},
        )
        file["Events"].extend(lists)


def spec_file(folder: Path, **keys: Any) -> Path:
    path = folder.parent / "ours.yaml"
    path.write_text(yaml.safe_dump({**SPEC, **keys}), encoding="utf-8")
    return path


def leave(*arguments: str) -> int:
    with pytest.raises(SystemExit) as left:
        cli.main(arguments)
    assert isinstance(left.value.code, int)
    return left.value.code


def report_of(folder: Path, name: str = "hygiene") -> dict[str, Any]:
    found: dict[str, Any] = json.loads((cache_dir(folder) / f"{name}.json").read_text(encoding="utf-8"))
    return found


def test_a_folder_of_good_files(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert leave("prepare", str(spec_file(folder)), "--data-dir", str(folder)) == 0
    out = capsys.readouterr().out
    page = cache_dir(folder) / "hygiene.html"
    assert out.splitlines()[0] == "2 files, spec ours: 80 entries read, 80 graphs kept"
    assert out.splitlines()[-1] == str(page)
    assert len(out.splitlines()) == 7  # no remark
    assert "The same everywhere: nodes per graph 2, weight 1." in page.read_text(encoding="utf-8")
    report = report_of(folder)
    assert [(Path(file["path"]).name, file["n_entry"], file["remarks"]) for file in report["files"]] == [
        ("one.root", N, []),
        ("two.root", N, []),
    ]
    assert (report["problems"], report["remarks"], report["skipped"]) == ([], [], {})
    assert leave("--quiet", "prepare", str(spec_file(folder)), "--data-dir", str(folder)) == 0
    assert capsys.readouterr().out == ""


def test_duplicates_stop_prepare_and_training(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(folder / "two.root", event=np.r_[np.arange(N - 1), 3])
    path = spec_file(folder)
    assert leave("prepare", str(path), "--data-dir", str(folder)) == 2
    ends = capsys.readouterr()
    assert "two.root: entry 39 has the id (event 3) that entry 3 of the same file has." in ends.err
    assert "2 files, spec ours" in ends.out  # the report is there all the same
    assert report_of(folder)["problems"]
    config = validate(DataConfig, {"spec": str(path), "classes": {"a": "one.root", "b": "two.root"}})
    with pytest.raises(InputError, match=r"two\.root: entry 39 has the id .*on_duplicate: keep"):
        open_table(config, folder)
    keep = spec_file(folder, on_duplicate="keep")
    assert len(open_table(config, folder)) == 2 * N
    assert leave("prepare", str(keep), "--data-dir", str(folder)) == 0
    assert "They are kept" in capsys.readouterr().out


def test_a_file_in_another_unit_stops_until_it_has_its_own_spec(folder: Path) -> None:
    generator = np.random.default_rng(5)
    write(folder / "two.root", first=N, jet_pt=generator.exponential(50_000.0, (N, 2)))
    with pytest.raises(
        InputError, match=r"two\.root: the median pt of jet is [0-9,]+ GeV, but [0-9.]+ GeV in .*one\.root"
    ):
        prepare(spec_file(folder), data_dir=folder)
    with pytest.raises(InputError, match="different units"):
        open_table(
            validate(DataConfig, {"spec": str(spec_file(folder)), "classes": {"a": "one.root", "b": "two.root"}}),
            folder,
        )
    (folder / "one.root").unlink()
    [alone] = prepare(spec_file(folder), data_dir=folder)
    assert alone.report.files[0].remarks[0].startswith("jet: not in falling order of pt in ")
    assert "is the unit MeV?" in alone.report.files[0].remarks[1]


def test_bad_files_are_skipped_and_tried_again(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good = (folder / "two.root").read_bytes()
    (folder / "two.root").write_bytes(good[: len(good) // 2])
    with pytest.raises(InputError, match=r"two\.root"):
        prepare(spec_file(folder), data_dir=folder)
    path = spec_file(folder, on_bad_file="skip")
    assert leave("prepare", str(path), "--data-dir", str(folder)) == 0
    assert "skipped: " in capsys.readouterr().out
    [(name, reason)] = report_of(folder)["skipped"].items()
    assert Path(name).name == "two.root"
    assert "truncated" in reason
    (folder / "two.root").write_bytes(good)
    [again] = prepare(path, data_dir=folder)
    assert (len(again.shards), again.report.skipped) == (2, {})
    for name in ("one", "two"):
        (folder / f"{name}.root").write_bytes(b"")
    with pytest.raises(InputError, match="None of the 2 files can be read"):
        prepare(path, data_dir=folder)


def test_nan_is_dropped_or_filled(folder: Path) -> None:
    pt = np.full((N, 2), 30.0)
    pt[3, 1] = np.nan
    write(folder / "two.root", first=N, jet_pt=pt)
    with pytest.raises(
        InputError, match=r"two\.root: branch jet_pt has NaN or infinity \(nan\) in entry 3, .*on_nan: drop"
    ):
        prepare(spec_file(folder), data_dir=folder)
    [dropped] = prepare(spec_file(folder, on_nan="drop"), data_dir=folder)
    report = dropped.report.files[1]
    assert (report.n_entry, report.n_graph, report.dropped) == (N, N - 1, {"NaN or infinity": 1})
    assert dropped.shards[1].entry.tolist() == [entry for entry in range(N) if entry != 3]
    [filled] = prepare(spec_file(folder, on_nan="fill", fill=1.0), data_dir=folder)
    assert filled.shards[1].nodes[7, 0] == 1.0
    assert filled.report.files[1].remarks[:2] == ("NaN: 1 in jet_pt", "filled with 1: 1 in jet_pt")


def test_recipes_know_their_classes(data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROOT_GNN_CACHE", str(tmp_path))
    [found] = prepare("WHvsZH", data_dir=data_dir)
    assert list(found.report.classes) == ["ZH", "WH"]
    assert [file.classes for file in found.report.files] == [("ZH",), ("WH",)]
    assert not found.report.problems


def test_files_on_both_sides_of_a_split_are_told(folder: Path, tmp_path: Path) -> None:
    shutil.copy(folder / "one.root", folder / "copy.root")
    spec_file(folder, on_duplicate="stop")
    split = {"by": "file", "validation_files": "two.root", "test_files": "copy.root"}
    config = {"spec": "ours.yaml", "classes": {"a": ["one.root", "copy.root"], "b": "two.root"}, "split": split}
    recipe = yaml.safe_load(
        (Path(__file__).parents[3] / "configs" / "pretrain_multiclass.yaml").read_text(encoding="utf-8")
    )
    (tmp_path / "r.yaml").write_text(yaml.safe_dump({**recipe, "data": config}), encoding="utf-8")
    [found] = prepare(tmp_path / "r.yaml", data_dir=folder, stop=False)
    assert any("data.split.by is file" in remark and "40 events" in remark for remark in found.report.remarks)
    config["classes"] = {
        "a": "one.root",
        "b": ["two.root", "copy.root"],
    }  # of two classes, where ids may be alike: told by the objects
    (tmp_path / "r.yaml").write_text(yaml.safe_dump({**recipe, "data": config}), encoding="utf-8")
    [found] = prepare(tmp_path / "r.yaml", data_dir=folder)
    assert any(
        "several classes: 40" in remark and "these are the same events" in remark for remark in found.report.remarks
    )


def test_every_variation(folder: Path) -> None:
    for name in ("one", "two"):
        write(
            folder / f"{name}.root",
            first=0 if name == "one" else N,
            jet_pt_up=np.full((N, 2), 99.0),
            jet_pt_nom=np.full((N, 2), 33.0),
        )
    path = spec_file(
        folder,
        systematics=["nom", "up"],
        nodes={"jet": {"type": 0, "features": {"pt": "jet_pt_%SYS%", "eta": "jet_eta", "phi": "jet_phi"}}},
    )
    assert leave("prepare", str(path), "--data-dir", str(folder), "--systematics") == 0
    nominal, varied = prepare(path, data_dir=folder, systematics=True)
    assert [one.name for one in (nominal, varied)] == ["hygiene", "hygiene_up"]
    assert (nominal.shards[0].nodes[0, 0], varied.shards[0].nodes[0, 0]) == (33.0, 99.0)
    assert (cache_dir(folder) / "hygiene_up.html").is_file()
    assert len(prepare(path, data_dir=folder)) == 1
    with pytest.raises(InputError, match="--systematics: the spec ours has none"):
        prepare(spec_file(folder), data_dir=folder, systematics=True)


def test_what_lies_beside_the_data_is_left_out_and_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("README.md", "plot.PNG"):
        (folder / name).write_text("about the data", encoding="utf-8")
    assert leave("prepare", str(spec_file(folder)), "--data-dir", str(folder)) == 0
    told = capsys.readouterr()
    assert told.out.startswith("2 files") and "left out: README.md, plot.PNG" in told.err
    (folder / "page.root").write_text("<html>no data</html>", encoding="utf-8")
    assert leave("prepare", str(spec_file(folder)), "--data-dir", str(folder)) == 2


def test_files_of_other_formats_are_left_out_and_broken_ones_refused(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "weights.csv").write_text("event,weight\n1,0.5\n", encoding="utf-8")
    (folder / "two.root").rename(folder / "TWO.ROOT")
    write(folder / "three.data", first=2 * N)
    assert leave("prepare", str(spec_file(folder)), "--data-dir", str(folder)) == 0
    told = capsys.readouterr()
    assert told.out.startswith("3 files") and told.err.count("weights.csv") == 1
    (folder / "torn.root").write_bytes((folder / "one.root").read_bytes()[:0])
    assert leave("prepare", str(spec_file(folder)), "--data-dir", str(folder)) == 2
    assert "torn.root" in capsys.readouterr().err
    for path in folder.glob("*.*"):
        if path.suffix in (".root", ".ROOT", ".data"):
            path.unlink()
    with pytest.raises(InputError, match=r"weights.csv: a ROOT file was expected; it is CSV"):
        prepare(spec_file(folder), data_dir=folder)


def test_nothing_to_read(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no data file"):
        prepare("events", data_dir=tmp_path)
    assert load_spec("events").on_duplicate == "stop"
