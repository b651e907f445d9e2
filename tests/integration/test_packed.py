"""A run in one file: what is in it comes back, and what a stranger put into it does nothing."""

from __future__ import annotations

import gzip
import json
import pickle
import stat
import sys
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from root_gnn.errors import InputError
from root_gnn.runs.evaluate import evaluate
from root_gnn.runs.packed import LONGEST_TEXT, TEXTS
from root_gnn.runs.registry import compare_runs, list_runs, pack, unpack_run
from root_gnn.runs.run import Run, load_encoder, load_run
from root_gnn.runs.train import finetune, train

SMALL = (
    "data.classes={WH: WH.root, ZH: ZH.root}",
    "data.max_events=100",
    "model.dim=8",
    "model.n_steps=1",
    "train.max_epochs=1",
    "train.max_steps=2",
    "train.batch_size=64",
)
SPY = "from pathlib import Path\nPath(__file__).with_name('executed').touch()\n"


@pytest.fixture(scope="module")
def run(data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    return train(
        "pretrain_multiclass",
        overrides=SMALL,
        data_dir=data_dir,
        run_dir=tmp_path_factory.mktemp("here") / "runs" / "first",
    )


@pytest.fixture(scope="module")
def packed(run: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return pack(run, out=tmp_path_factory.mktemp("packed") / "first.safetensors")


def header(path: Path) -> dict[str, str]:
    with safe_open(path, framework="pt") as file:
        return dict(file.metadata())


def changed(packed: Path, path: Path, **texts: str | None) -> Path:
    """A packed run with other texts, names written with _ for the dot."""
    named = {key.replace("_", ".", 1): text for key, text in texts.items()}
    save_file(
        load_file(packed),
        path,
        metadata={key: text for key, text in {**header(packed), **named}.items() if text is not None},
    )
    return path


def same(left: torch.nn.Module, right: torch.nn.Module) -> bool:
    ours, theirs = left.state_dict(), right.state_dict()
    return list(ours) == list(theirs) and all(torch.equal(ours[name], theirs[name]) for name in ours)


def test_every_way_to_name_a_run_gives_the_same_network(
    run: Run, packed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(run.folder.parents[1])
    for place in (run.folder, "first", run.checkpoint, packed):
        assert same(load_run(place).objective, run.objective)
    assert load_run(packed).name == "first"
    assert load_run(packed).metrics == run.metrics
    assert load_run(run.folder / "checkpoints" / "last.ckpt").checkpoint.name == "last.ckpt"
    with pytest.raises(InputError, match="did you mean first"):
        load_run("frist")


def test_a_packed_run_can_be_finetuned(run: Run, packed: Path, data_dir: Path, tmp_path: Path) -> None:
    overrides = (
        "data.classes={WH: WH.root, ZH: ZH.root}",
        "data.max_events=100",
        "train.max_steps=2",
        "train.max_epochs=1",
    )
    tuned = finetune(
        "WHvsZH", run=packed, mode="frozen", overrides=overrides, data_dir=data_dir, run_dir=tmp_path / "tuned"
    )
    assert tuned.plan["source"] == "first"
    assert same(tuned.encoder, run.encoder)


@pytest.mark.parametrize("way", ["folder", "name", "checkpoint", "packed"])
def test_from_takes_every_way_to_name_a_run(
    way: str,
    run: Run,
    packed: Path,
    data_dir: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    leave: Callable[..., int],
) -> None:
    monkeypatch.chdir(run.folder.parents[1])
    source = {
        "folder": str(run.folder),
        "name": "first",
        "checkpoint": "runs/first/checkpoints/last.ckpt",
        "packed": str(packed),
    }[way]
    small = ("data.classes={WH: WH.root, ZH: ZH.root}", "data.max_events=60", "train.max_steps=1", "train.max_epochs=1")
    settings = [word for one in small for word in ("--set", one)]
    assert (
        leave(
            "finetune",
            "--task",
            "WHvsZH",
            "--from",
            source,
            "--mode",
            "frozen",
            *settings,
            "--data-dir",
            str(data_dir),
            "--run-dir",
            str(tmp_path / "tuned"),
        )
        == 0
    )
    tuned = load_run(tmp_path / "tuned")
    expected = load_run("runs/first/checkpoints/last.ckpt") if way == "checkpoint" else run
    assert tuned.plan["source"] == "first" and same(tuned.encoder, expected.encoder)


def test_results_are_not_written_where_they_vanish(run: Run, packed: Path, data_dir: Path) -> None:
    for place in (packed, run.folder / "checkpoints" / "last.ckpt"):
        with pytest.raises(InputError, match="name the run folder"):
            evaluate(place, data_dir=data_dir)


def test_unpacking_gives_the_run_back(run: Run, packed: Path, tmp_path: Path) -> None:
    folder = unpack_run(packed, out=tmp_path / "back")
    assert same(Run(folder).objective, run.objective)
    assert all((folder / name).read_text() == (run.folder / name).read_text() for name in TEXTS)
    with pytest.raises(InputError, match="exists"):
        unpack_run(packed, out=folder)
    with pytest.raises(InputError, match="exists"):
        pack(run, out=packed)
    assert unpack_run(packed, out=folder, overwrite=True) == folder


@pytest.mark.parametrize("key", ["config_yaml", "spec_yaml"])
def test_a_packed_run_that_names_code_does_nothing_and_is_refused(
    key: str,
    packed: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    leave: Callable[..., int],
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "stranger.py").write_text(SPY, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    text = header(packed)[key.replace("_", ".", 1)]
    known = "encode_process_decode" if key == "config_yaml" else "name: root\n"
    assert known in text
    crafted = changed(
        packed,
        tmp_path / "crafted.safetensors",
        **{key: text.replace(known, known.replace(known.split()[-1], "stranger"))},
    )
    crafted = changed(
        crafted,
        crafted.with_stem("dotted"),
        **{key: text.replace(known, known.replace(known.split()[-1], "stranger.part"))},
    )
    assert leave("finetune", "--task", "WHvsZH", "--from", str(crafted)) == 2
    assert "loading a run folder does not execute code" in capsys.readouterr().err
    assert not (tmp_path / "executed").exists()
    assert "stranger" not in sys.modules


class Attack:
    """An object that writes a file where a pickle of it is loaded."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return Path.touch, (self.path,)


def test_a_pickle_in_disguise_is_never_loaded(
    run: Run, tmp_path: Path, leave: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "attack.safetensors").write_bytes(pickle.dumps(Attack(tmp_path / "executed")))
    torch.save({"state_dict": Attack(tmp_path / "executed")}, tmp_path / "torch.safetensors")
    for name in ("attack", "torch"):
        assert leave("predict", str(tmp_path / f"{name}.safetensors"), "x.root", "--out", str(tmp_path / "out")) == 2
        assert "is no packed run, or is damaged" in capsys.readouterr().err
    folder = unpack_run(pack(run, out=tmp_path / "fine.safetensors"), out=tmp_path / "folder")
    torch.save({"state_dict": Attack(tmp_path / "executed")}, folder / "checkpoints" / "best.ckpt")
    assert leave("predict", str(folder), "x.root", "--out", str(tmp_path / "out")) == 2
    assert "cannot be read as a checkpoint" in capsys.readouterr().err
    assert not (tmp_path / "executed").exists()


def an_archive(path: Path) -> None:
    """A ZIP of a run whose names lead out of the folder, with a link."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.yaml", "name: x")
        archive.writestr("../executed", "here")
        link = zipfile.ZipInfo("checkpoints")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "..")


def a_tarball(path: Path) -> None:
    """The same as a tar file."""
    with tarfile.open(path, "w:gz") as archive:
        archive.addfile(tarfile.TarInfo("../executed"))
        link = tarfile.TarInfo("checkpoints")
        link.type, link.linkname = tarfile.SYMTYPE, ".."
        archive.addfile(link)


def a_header(content: dict[str, Any], size: int | None = None) -> Callable[[Path], None]:
    """A safetensors file of a header alone, which may claim another size."""

    def make(path: Path) -> None:
        text = json.dumps(content).encode()
        path.write_bytes((size or len(text)).to_bytes(8, "little") + text)

    return make


TENSOR = {"dtype": "F32", "shape": [10**6, 10**6], "data_offsets": [0, 4 * 10**12]}
FOREIGN: dict[str, Callable[[Path], Any]] = {
    "zip": an_archive,
    "tar": a_tarball,
    "gzip bomb": lambda path: path.write_bytes(gzip.compress(bytes(10**7))),
    "header of a terabyte": a_header({}, size=2**40),
    "header of 150 megabytes": a_header({"__metadata__": {"format": "x" * 150_000_000}}),
    "tensor of four terabytes": a_header({"objective.x": TENSOR}),
    "tensors over each other": a_header(
        {name: {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]} for name in ("a", "b")}
    ),
    "nested": lambda path: path.write_bytes((10**6).to_bytes(8, "little") + b"[" * 10**6),
}


@pytest.mark.parametrize("kind", FOREIGN)
def test_what_only_looks_like_a_packed_run_is_refused_unopened(
    kind: str, tmp_path: Path, leave: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "in" / "crafted.safetensors"
    path.parent.mkdir()
    FOREIGN[kind](path)
    for command in (
        ("pack", "--unpack", str(path), "--out", str(tmp_path / "in" / "run")),
        ("finetune", "--task", "WHvsZH", "--from", str(path), "--run-dir", str(tmp_path / "in" / "run")),
    ):
        assert leave(*command) == 2
        assert "crafted.safetensors is no packed run, or is damaged" in capsys.readouterr().err
    assert [found.name for found in tmp_path.rglob("*")] == ["in", "crafted.safetensors"]


TEXT_BOMBS = {
    "an object in the recipe": ("config_yaml", "run: !!python/object/apply:os.system ['touch executed']\n", "tags"),
    "an object in the spec": ("spec_yaml", "name: !!python/object/new:pathlib.Path [executed]\n", "tags"),
    "a billion laughs": ("config_yaml", "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n", "anchors"),
    "a deep recipe": ("config_yaml", f"a: {'[' * 5000}{']' * 5000}\n", "nested"),
    "a long recipe": ("config_yaml", f"a: {'x' * 2_000_000}\n", "too many"),
    "a deep plan": ("plan_json", "[" * 200_000 + "]" * 200_000, "plan.json"),
    "a number of a million digits": ("metrics_json", f'{{"a": {"9" * 1_000_000}}}', "metrics.json"),
    "a long history": ("history_csv", "x" * (LONGEST_TEXT + 1), "history.csv"),
    "code where the name was": ("name", "$(touch executed)", "letters, digits"),
    "an absolute name": ("name", "/executed", "letters, digits"),
    "a name of two lines": ("name", "a\n../b", "letters, digits"),
    "a name too long for a folder": ("name", "x" * 5000, "letters, digits"),
}


@pytest.mark.parametrize("bomb", TEXT_BOMBS)
def test_a_text_that_is_an_attack_does_nothing(
    bomb: str,
    packed: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    leave: Callable[..., int],
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    key, text, said = TEXT_BOMBS[bomb]
    crafted = changed(packed, tmp_path / "crafted.safetensors", **{key: text})
    assert leave("predict", str(crafted), "x.root", "--out", "out") == 2
    error = capsys.readouterr().err
    assert said in error and "Traceback" not in error and len(error) < 2000
    assert [found.name for found in tmp_path.rglob("*")] == ["crafted.safetensors"]


def test_unpacking_follows_no_link_out_of_its_place(
    packed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody put links where the parts of the run go: they are refused or replaced, and what they point to stays."""
    monkeypatch.chdir(tmp_path)
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "config.yaml").write_text("mine", encoding="utf-8")
    Path("runs").mkdir()
    (Path("runs") / "first").symlink_to(outside)
    with pytest.raises(InputError, match="exists"):
        unpack_run(packed)
    assert unpack_run(packed, overwrite=True) == Path("runs/first")
    assert [path.name for path in outside.iterdir()] == ["config.yaml"] and (
        outside / "config.yaml"
    ).read_text() == "mine"
    assert not Path("runs/first").is_symlink() and load_run("first").name == "first"


def test_damaged_and_crafted_files_are_refused_by_name(packed: Path, tmp_path: Path) -> None:
    content = packed.read_bytes()
    broken = {
        "empty": b"",
        "short": content[: len(content) // 2],
        "long": content + b"x",
        "text": b"not a run",
        "header": b"\xff" * 64,
    }
    for name, data in broken.items():
        (tmp_path / f"{name}.safetensors").write_bytes(data)
        with pytest.raises(InputError, match=rf"{name}\.safetensors is no packed run"):
            load_run(tmp_path / f"{name}.safetensors")
    for texts, said in (
        ({"format": "other"}, "no packed run"),
        ({"spec_yaml": None}, r"lacks spec\.yaml"),
        ({"evil_py": "x"}, r"holds 'evil\.py'"),
        ({"name": "../../outside"}, r"calls its run '\.\./\.\./outside'"),
        ({"scaling_json": "{}"}, r"scaling\.json is not"),
        ({"plan_json": "[]"}, r"plan\.json is not"),
        ({"metrics_json": "{"}, r"metrics\.json is not"),
    ):
        with pytest.raises(InputError, match=said):
            load_run(changed(packed, tmp_path / "crafted.safetensors", **texts))
    tensors = load_file(packed)
    name = next(iter(tensors))
    save_file({**tensors, name: torch.zeros(3)}, tmp_path / "weights.safetensors", metadata=header(packed))
    with pytest.raises(InputError, match="do not fit the recipe"):
        load_run(tmp_path / "weights.safetensors").objective  # noqa: B018 the property loads the weights


def test_runs_are_listed_filtered_sorted_and_compared(run: Run, tmp_path: Path, packed: Path) -> None:
    second = unpack_run(packed, out=tmp_path / "runs" / "second")
    unpack_run(packed, out=tmp_path / "runs" / "below" / "third")
    metrics = json.loads((second / "metrics.json").read_text())
    metrics["splits"]["test"]["auc"] = 0.25
    (second / "metrics.json").write_text(json.dumps(metrics))
    config = (second / "config.yaml").read_text()
    (second / "config.yaml").write_text(config.replace("seed: 1", "seed: 7"))
    (tmp_path / "runs" / "below" / "third" / "metrics.json").unlink()
    everything = list_runs(tmp_path / "runs")
    assert [(one.facts["name"], one.facts["state"]) for one in everything.runs] == [
        ("second", "finished"),
        ("third", "stopped"),
    ]
    for condition, names in (
        ("seed=7", ["second"]),
        ("seed!=7", ["third"]),
        ("test.auc<0.3", ["second"]),
        ("test.auc>=0.3", []),
        ("model.dim = 8", ["second", "third"]),
        ("objective.name=jepa", []),
        ("test.auc=null", ["third"]),
    ):
        assert [one.facts["name"] for one in list_runs(tmp_path / "runs", where=[condition]).runs] == names, condition
    assert [one.facts["seed"] for one in list_runs(tmp_path / "runs", sort="seed").runs] == [7, 1]
    found = compare_runs([run.folder, second, packed])
    assert len(found.runs) == 3
    assert "0.25" in str(found)
    assert not any(key.startswith("model.dim") for key in found.keys)
    for wrong in ({"where": ["sed=1"]}, {"where": ["seed"]}, {"where": ["name>3"]}, {"sort": "test.acu"}):
        with pytest.raises(InputError, match=r"--where|--sort"):
            list_runs(tmp_path / "runs", **wrong)
    (second / "config.yaml").write_text("name: [")
    assert list_runs(tmp_path / "runs").runs[0].facts["state"] == "damaged"


def test_a_checkpoint_without_its_run_is_refused(run: Run, tmp_path: Path) -> None:
    (tmp_path / "alone.ckpt").write_bytes(run.checkpoint.read_bytes())
    with pytest.raises(InputError, match="neither a checkpoint in the folder"):
        load_encoder(tmp_path / "alone.ckpt")


def test_a_source_of_ones_own_is_trusted_where_it_was_passed_and_nowhere_else(
    run: Run, data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "__init__.py").touch()
    (tmp_path / "own" / "files.py").write_text(
        "from root_gnn.data.sources.root import Config as Root\nclass Config(Root):\n    pass\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    spec = (run.folder / "spec.yaml").read_text().replace("name: root\n", "name: own.files\n")
    (tmp_path / "own.yaml").write_text(spec)
    overrides = (*SMALL, f"data.spec={tmp_path / 'own.yaml'}")
    made = train("pretrain_multiclass", overrides=overrides, data_dir=data_dir, run_dir=tmp_path / "run")
    assert made.spec.source.__class__.__module__ == "own.files"
    again = train("pretrain_multiclass", overrides=overrides, data_dir=data_dir, run_dir=tmp_path / "run", resume=True)
    assert again.metrics == made.metrics
    with pytest.raises(InputError, match=r"--allow-plugin own\.files"):
        load_run(made.folder)
    assert load_run(made.folder, allow_plugins=["own.files"]).name == "run"
