"""From ROOT files to a trained network: QCD and top jets, root_gnn beside weaver-core, each by its own command line.

    python benchmarks/end_to_end.py --data-dir DIR --out end_to_end.json     (DIR has QCD.root and Tbqq.root as JetClass lays them out)

Both train a small Particle Transformer (4 blocks, 64 wide, batch norm) on the same jets with 17 inputs for as many epochs, batches and
validation events, with AdamW on two cores, from an empty folder: nothing is cached or compiled before. Seconds are those of the whole
command, start of Python included. weaver-core keeps the jets in memory and reads them once, its fastest way, with one process for reading
beside the one that trains. Outputs cannot be compared, since first weights and dropout are random; that the networks are of the same
size to 5 % is asserted, and that both tell the classes apart.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import uproot
from resample import FIXTURES

from root_gnn.atomic import write_json
from root_gnn.bench.case import Bench, Unequal, installed, main
from root_gnn.bench.row import LeftOut, Row
from root_gnn.bench.timing import Spread, ratios

CLASSES = ("QCD", "Tbqq")
LONGEST, BATCH, SMALLEST_AUC = 128, 256, 0.6
N_JET, N_EPOCH, N_SMALL = 10_000, 3, 60
SHARES = {"train": 0.8, "validation": 0.1, "test": 0.1}
IDENTITY = ("charge", "isChargedHadron", "isNeutralHadron", "isPhoton", "isElectron", "isMuon")
IMPACT = ("d0val", "d0err", "dzval", "dzerr")
OURS = ("log_pt", "log_energy", "log_pt_rel", "log_energy_rel", "delta_r", *IDENTITY, *IMPACT, "deta", "dphi")
NETWORK = """
from weaver.nn.model.ParticleTransformer import ParticleTransformer
import torch


class Tagger(torch.nn.Module):
    def __init__(self, n_input, n_class):
        super().__init__()
        self.part = ParticleTransformer(n_input, n_class, embed_dims=(64, 128, 64), pair_embed_dims=(32, 32), num_heads=8,
                                        num_layers=4, num_cls_layers=1, fc_params=[])

    def forward(self, features, vectors, mask):
        return self.part(features, v=vectors, mask=mask)


def get_model(data_config, **options):
    names = data_config.input_names
    model = Tagger(len(data_config.input_dicts["pf_features"]), len(data_config.label_value))
    print("PARAMETERS", sum(weight.numel() for weight in model.parameters()), flush=True)
    info = {
        "input_names": list(names), "input_shapes": {k: ((1,) + s[1:]) for k, s in data_config.input_shapes.items()},
        "output_names": ["softmax"], "dynamic_axes": {},
    }
    return model, info


def get_loss(data_config, **options):
    return torch.nn.CrossEntropyLoss()
"""


def take(source: Path, target: Path, n_jet: int) -> int:
    """Copies the first jets of a file, with all branches that either reads; how many those are."""
    with uproot.open(source) as file, uproot.recreate(target, compression=uproot.ZSTD(5)) as out:
        tree = file["tree"]
        names = [name for name in tree if name.startswith(("part_", "jet_", "label_")) or name in ("eventNumber", "weight")]
        arrays = tree.arrays(names, entry_stop=n_jet, library="ak", how=dict)
        types = {name: array.type.content for name, array in arrays.items()}
        out.mktree("tree", types)
        out["tree"].extend(arrays)
        return len(arrays["jet_pt"])


def recipe(folder: Path, n_epoch: int, batch: int) -> Path:
    """Ours."""
    content = {
        "name": "end_to_end", "seed": 1,
        "data": {"spec": "jetclass", "classes": {name: f"{name}.root" for name in CLASSES}, "split": SHARES},
        "model": {"name": "particle_transformer", "batch_norm": True, "inputs": OURS},
        "objective": {"name": "multiclass", "head": {"name": "linear"}},
        "optim": {"lr": 1e-3, "schedule": "constant", "warmup": 0.0}, "train": {"max_epochs": n_epoch, "batch_size": batch},
    }  # fmt: skip
    path = folder / "end_to_end.yaml"
    write_json(path, content)  # JSON is YAML
    return path


def weaver_config(folder: Path) -> Path:
    """The same inputs in weaver's language."""
    new = {
        "part_mask": "ak.ones_like(part_energy)", "part_pt": "np.hypot(part_px, part_py)", "part_pt_log": "np.log(part_pt)",
        "part_e_log": "np.log(part_energy)", "part_logptrel": "np.log(part_pt/jet_pt)", "part_logerel": "np.log(part_energy/jet_energy)",
        "part_deltaR": "np.hypot(part_deta, part_dphi)", "part_d0": "np.tanh(part_d0val)", "part_dz": "np.tanh(part_dzval)",
    }  # fmt: skip
    scaled = {"part_pt_log": (1.7, 0.7), "part_e_log": (2.0, 0.7), "part_logptrel": (-4.7, 0.7), "part_logerel": (-4.7, 0.7),
              "part_deltaR": (0.2, 4.0)}  # fmt: skip
    plain = [*(f"part_{name}" for name in IDENTITY), "part_d0", "part_d0err", "part_dz", "part_dzerr", "part_deta", "part_dphi"]
    features = [*([name, *scale] for name, scale in scaled.items()), *([name, None] for name in plain)]
    vectors = [[f"part_{name}", None] for name in ("px", "py", "pz", "energy")]
    inputs = {
        name: {"length": LONGEST, "pad_mode": "constant", "vars": variables}
        for name, variables in {"pf_features": features, "pf_vectors": vectors, "pf_mask": [["part_mask", None]]}.items()
    }
    content = {
        "treename": "tree", "selection": None, "new_variables": new, "preprocess": {"method": "manual", "data_fraction": None},
        "inputs": inputs, "labels": {"type": "simple", "value": [f"label_{name}" for name in CLASSES]}, "observers": None, "weights": None,
    }  # fmt: skip
    path = folder / "weaver.yaml"
    write_json(path, content)
    return path


def run_ours(folder: Path, recipe_file: Path) -> tuple[float, int, float]:
    """Seconds, parameters, and the AUC of the validation jets."""
    with tempfile.TemporaryDirectory(dir=folder) as name:
        run = Path(name) / "run"
        command = [sys.executable, "-m", "root_gnn.cli", "train", str(recipe_file), "--quiet", "--data-dir", str(folder)]
        seconds = timed([*command, "--run-dir", str(run)], {"ROOT_GNN_CACHE": f"{name}/cache", "OMP_NUM_THREADS": "2"})[0]
        metrics = json.loads((run / "metrics.json").read_text(encoding="utf-8"))
        return seconds, metrics["n_parameters"], metrics["splits"]["validation"]["auc"]


def run_weaver(folder: Path, config: Path, *, n_train: int, n_validation: int, n_epoch: int, batch: int) -> tuple[float, int, float]:
    """Seconds, parameters, and the accuracy on the validation jets."""
    with tempfile.TemporaryDirectory(dir=folder) as name:
        network = Path(name) / "network.py"
        network.write_text(NETWORK, encoding="utf-8")
        command = [
            sys.executable, "-m", "weaver.train", "--data-train", *(f"{one}:{folder / one}.root" for one in CLASSES),
            "--data-config", str(config), "--network-config", str(network), "--model-prefix", f"{name}/net", "--run-mode", "train,val",
            "--gpus", "", "--num-workers", "1", "--in-memory", "--fetch-step", "1", "--batch-size", str(batch), "--num-epochs",
            str(n_epoch), "--samples-per-epoch", str(n_train), "--samples-per-epoch-val", str(n_validation), "--train-val-split",
            str(SHARES["train"]), "--optimizer", "AdamW", "--lr-scheduler", "none", "--start-lr", "1e-3",
        ]  # fmt: skip
        seconds, said = timed(command, {"OMP_NUM_THREADS": "2"})
    found, metric = re.search(r"PARAMETERS (\d+)", said), re.findall(r"Current validation metric: ([0-9.]+)", said)
    if not found or not metric:
        raise RuntimeError(f"weaver-core did not train: {said[-2000:]}")
    return seconds, int(found[1]), float(metric[-1])


def timed(command: list[str], variables: dict[str, str]) -> tuple[float, str]:
    """Seconds of a command, and all it said."""
    start = time.perf_counter()
    environment = {**os.environ, **variables}
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    seconds = time.perf_counter() - start
    if done.returncode:
        raise RuntimeError(f"{' '.join(command[:4])} ended with {done.returncode}: {done.stdout[-2000:]}")
    return seconds, done.stdout


def check(n_ours: int, n_theirs: int, auc: float, accuracy: float, *, quick: bool) -> None:
    """Raises Unequal where the networks are of different size, or one has learned nothing."""
    if abs(n_ours / n_theirs - 1.0) > 0.05:
        raise Unequal(f"the networks have {n_ours} and {n_theirs} parameters; nothing is compared")
    if not quick and min(auc, accuracy) < SMALLEST_AUC:
        raise Unequal(f"a network has learned nothing: AUC {auc:.3f} of ours, accuracy {accuracy:.3f} of weaver's")


def results(bench: Bench) -> Iterator[Row | LeftOut]:
    """One row."""
    if not installed("weaver"):
        yield LeftOut(what="end to end", reason="weaver-core is not installed")
        return
    source = bench.data_dir or (FIXTURES if bench.quick else None)
    if source is None or not all((source / f"{name}.root").is_file() for name in CLASSES):
        yield LeftOut(what="end to end", reason="--data-dir does not name a folder with QCD.root and Tbqq.root")
        return
    n_jet, n_epoch, batch = (N_SMALL, 1, 16) if bench.quick else (bench.options.jets, bench.options.epochs, BATCH)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        n_all = sum(take(source / f"{one}.root", folder / f"{one}.root", n_jet) for one in CLASSES)
        mine, config = recipe(folder, n_epoch, batch), weaver_config(folder)
        sizes = {"n_train": round(SHARES["train"] * n_all), "n_validation": round(SHARES["validation"] * n_all)}
        seconds: dict[str, list[float]] = {"root_gnn": [], "weaver": []}
        last: dict[str, tuple[float, int, float]] = {}
        runs = {
            "root_gnn": lambda: run_ours(folder, mine),
            "weaver": lambda: run_weaver(folder, config, **sizes, n_epoch=n_epoch, batch=batch),
        }
        for place in range(bench.rounds):
            for which in list(runs)[:: -1 if place % 2 else 1]:
                last[which] = runs[which]()
                seconds[which].append(last[which][0])
            check(last["root_gnn"][1], last["weaver"][1], last["root_gnn"][2], last["weaver"][2], quick=bench.quick)
    note = f"{n_epoch} epochs; AUC {last['root_gnn'][2]:.3f}, weaver's accuracy {last['weaver'][2]:.3f}"
    note += f"; {last['root_gnn'][1]:,} and {last['weaver'][1]:,} parameters"
    yield Row.spread(
        ratios(seconds["weaver"], seconds["root_gnn"]), what=f"from ROOT files to a trained network, {n_all:,} jets", reference="weaver",
        target=2.0, unit="s", rates={which: Spread.of(values).median for which, values in seconds.items()}, note=note,
    )  # fmt: skip


def arguments(parser: argparse.ArgumentParser) -> None:
    """How much there is to train on."""
    parser.add_argument("--jets", type=int, default=N_JET, help="of each class")
    parser.add_argument("--epochs", type=int, default=N_EPOCH)


if __name__ == "__main__":
    sys.exit(main(results, __doc__, n_core=2, arguments=arguments))
