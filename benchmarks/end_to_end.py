"""From ROOT files to a trained network: QCD and top jets, root_gnn beside weaver-core, each by its own command line.

    python benchmarks/end_to_end.py --data-dir DIR --out end_to_end.json     (DIR has QCD.root and Tbqq.root as JetClass
    lays them out)

Both train a small Particle Transformer (4 blocks, 64 wide, batch norm) on the same jets with 17 inputs for as many
epochs, batches and validation events, with AdamW on two cores, from an empty folder: nothing is cached or compiled
before. Seconds are those of the whole command, start of Python included. weaver-core keeps the jets in memory and reads
them once, its fastest way, with one process for reading beside the one that trains. Asserted before anything is timed:
both read the same constituents (momenta and the inputs that need no further choice, jets of more than 128 aside, which
weaver cuts) and labels; the network of our recipe takes every weight of weaver's, and gives with these, and with the
same momenta, the same outputs in double precision. First weights and dropout are random in training; that both tell the
classes apart is asserted after.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import runpy
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
import uproot
from resample import FIXTURES
from torch import Tensor

from root_gnn.atomic import write_json
from root_gnn.bench.case import Bench, UnequalError, agree, installed, run_case
from root_gnn.bench.row import LeftOut, Row
from root_gnn.bench.timing import Spread, ratios
from root_gnn.config.loader import load
from root_gnn.convert.weaver_weights import load_weaver
from root_gnn.graph.batch import Batch
from root_gnn.models.particle_transformer import ParticleTransformer
from root_gnn.runs.recipe import Recipe
from root_gnn.runs.setup import TrainingSetup

CLASSES = ("QCD", "Tbqq")
IDENTIFYING = ("eventNumber", "resimulation", "weight")
LONGEST, BATCH, SMALLEST_AUC = 128, 256, 0.6
N_JET, N_EPOCH, N_SMALL, N_CHECKED = 2_500, 3, 60, 200
TOLERANCE = 1e-5  # of the largest value: what both read, and put out
SHARES = {"train": 0.8, "validation": 0.1, "test": 0.1}
IDENTITY = ("charge", "isChargedHadron", "isNeutralHadron", "isPhoton", "isElectron", "isMuon")
IMPACT, BY_TANH = ("d0val", "d0err", "dzval", "dzerr"), ("d0val", "dzval")
OURS = ("log_pt", "log_energy", "log_pt_rel", "log_energy_rel", "delta_r", *IDENTITY, *IMPACT, "deta", "dphi")
NETWORK = """
from weaver.nn.model.ParticleTransformer import ParticleTransformer
import torch


class Tagger(torch.nn.Module):
    def __init__(self, n_input, n_class):
        super().__init__()
        sizes = dict(embed_dims=(64, 128, 64), pair_embed_dims=(32, 32), num_heads=8, num_layers=4, num_cls_layers=1)
        self.part = ParticleTransformer(n_input, n_class, **sizes, fc_params=[])

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
        names = tree.keys(filter_name=["part_*", "jet_*", "label_*", *IDENTIFYING])
        arrays = tree.arrays(names, entry_stop=n_jet, library="ak", how=dict)
        types = {name: array.type.content for name, array in arrays.items()}
        out.mktree("tree", types)
        out["tree"].extend(arrays)
        return len(arrays["jet_pt"])


def recipe(folder: Path, n_epoch: int, batch: int) -> Path:
    """Ours."""
    content = {
        "name": "end_to_end",
        "seed": 1,
        "data": {"spec": "jetclass", "classes": {name: f"{name}.root" for name in CLASSES}, "split": SHARES},
        "model": {"name": "particle_transformer", "batch_norm": True, "inputs": OURS},
        "objective": {"name": "multiclass", "head": {"name": "linear"}},
        "optim": {"lr": 1e-3, "schedule": "constant", "warmup": 0.0},
        "train": {"max_epochs": n_epoch, "batch_size": batch},
    }
    path = folder / "end_to_end.yaml"
    write_json(path, content)  # JSON is YAML
    return path


def weaver_config(folder: Path) -> Path:
    """The same inputs in weaver's language."""
    new = {
        "part_mask": "ak.ones_like(part_energy)",
        "part_pt": "np.hypot(part_px, part_py)",
        "part_pt_log": "np.log(part_pt)",
        "part_e_log": "np.log(part_energy)",
        "part_logptrel": "np.log(part_pt/jet_pt)",
        "part_logerel": "np.log(part_energy/jet_energy)",
        "part_deltaR": "np.hypot(part_deta, part_dphi)",
        "part_d0": "np.tanh(part_d0val)",
        "part_dz": "np.tanh(part_dzval)",
    }
    scaled = {
        "part_pt_log": (1.7, 0.7),
        "part_e_log": (2.0, 0.7),
        "part_logptrel": (-4.7, 0.7),
        "part_logerel": (-4.7, 0.7),
        "part_deltaR": (0.2, 4.0),
    }
    plain = [
        *(f"part_{name}" for name in IDENTITY),
        "part_d0",
        "part_d0err",
        "part_dz",
        "part_dzerr",
        "part_deta",
        "part_dphi",
    ]
    features = [*([name, *scale] for name, scale in scaled.items()), *([name, None] for name in plain)]
    vectors = [[f"part_{name}", None] for name in ("px", "py", "pz", "energy")]
    inputs = {
        name: {"length": LONGEST, "pad_mode": "constant", "vars": variables}
        for name, variables in {
            "pf_features": features,
            "pf_vectors": vectors,
            "pf_mask": [["part_mask", None]],
        }.items()
    }
    content = {
        "treename": "tree",
        "selection": None,
        "new_variables": new,
        "preprocess": {"method": "manual", "data_fraction": None},
        "inputs": inputs,
        "labels": {"type": "simple", "value": [f"label_{name}" for name in CLASSES]},
        "observers": None,
        "weights": None,
    }
    path = folder / "weaver.yaml"
    write_json(path, content)
    return path


def run_ours(folder: Path, recipe_file: Path) -> tuple[float, int, float]:
    """Seconds, parameters, and the AUC of the validation jets."""
    with tempfile.TemporaryDirectory(dir=folder) as name:
        run = Path(name) / "run"
        command = [
            sys.executable,
            "-m",
            "root_gnn",
            "train",
            str(recipe_file),
            "--quiet",
            "--data-dir",
            str(folder),
        ]
        seconds = timed([*command, "--run-dir", str(run)], {"ROOT_GNN_CACHE": f"{name}/cache", "OMP_NUM_THREADS": "2"})[
            0
        ]
        metrics = json.loads((run / "metrics.json").read_text(encoding="utf-8"))
        return seconds, metrics["n_parameters"], metrics["splits"]["validation"]["auc"]


def run_weaver(
    folder: Path, config: Path, *, n_train: int, n_validation: int, n_epoch: int, batch: int
) -> tuple[float, int, float]:
    """Seconds, parameters, and the accuracy on the validation jets."""
    with tempfile.TemporaryDirectory(dir=folder) as name:
        network = Path(name) / "network.py"
        network.write_text(NETWORK, encoding="utf-8")
        command = [
            sys.executable,
            "-m",
            "weaver.train",
            "--data-train",
            *(f"{one}:{folder / one}.root" for one in CLASSES),
            "--data-config",
            str(config),
            "--network-config",
            str(network),
            "--model-prefix",
            f"{name}/net",
            "--run-mode",
            "train,val",
            "--gpus",
            "",
            "--num-workers",
            "1",
            "--in-memory",
            "--fetch-step",
            "1",
            "--batch-size",
            str(batch),
            "--num-epochs",
            str(n_epoch),
            "--samples-per-epoch",
            str(n_train),
            "--samples-per-epoch-val",
            str(n_validation),
            "--train-val-split",
            str(SHARES["train"]),
            "--optimizer",
            "AdamW",
            "--lr-scheduler",
            "none",
            "--start-lr",
            "1e-3",
        ]
        seconds, said = timed(command, {"OMP_NUM_THREADS": "2"})
    found, metric = re.search(r"PARAMETERS (\d+)", said), re.findall(r"Current validation metric: ([0-9.]+)", said)
    if not found or not metric:
        raise RuntimeError(f"weaver-core did not train: {said[-2000:]}")
    return seconds, int(found[1]), float(metric[-1])


def timed(command: list[str], variables: dict[str, str]) -> tuple[float, str]:
    """Seconds of a command, and all it said."""
    start = time.perf_counter()
    environment = {**os.environ, **variables}
    done = subprocess.run(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    seconds = time.perf_counter() - start
    if done.returncode:
        raise RuntimeError(f"{' '.join(command[:4])} ended with {done.returncode}: {done.stdout[-2000:]}")
    return seconds, done.stdout


def check(folder: Path, recipe_file: Path, config: Path) -> float:
    """The largest difference of outputs over their largest.

    Raises UnequalError where what is read, sizes or outputs differ.
    """
    bench = TrainingSetup(load(Recipe, recipe_file), data_dir=folder)
    encoder, table = bench.objective.encoder, bench.table
    if not isinstance(encoder, ParticleTransformer):
        raise UnequalError(f"the recipe's encoder is a {type(encoder).__name__}; nothing is timed")
    network = folder / "network.py"
    network.write_text(NETWORK, encoding="utf-8")
    torch.manual_seed(1)
    theirs = runpy.run_path(str(network))["Tagger"](len(OURS), len(CLASSES)).eval().double()
    load_weaver(encoder.eval().double(), theirs.part.state_dict())
    sizes = [sum(weight.numel() for weight in module.parameters()) for module in (bench.objective, theirs)]
    if sizes[0] != sizes[1]:
        raise UnequalError(f"the networks have {sizes[0]} and {sizes[1]} parameters; nothing is timed")
    differences = []
    for label, name in enumerate(CLASSES):
        features, vectors, mask, labels = first_of_weaver(folder / f"{name}.root", config)
        batch = table.gather(np.flatnonzero(table.shard_of == label)[: len(labels)])
        whole = batch.n_node <= LONGEST
        features, vectors, mask, labels = (part[whole] for part in (features, vectors, mask, labels))
        batch = batch.select(torch.nonzero(whole).squeeze(1))
        inputs = check_jets(name, batch, table.spec.node_features, features, vectors, mask)
        agree(f"labels of {name}", batch.labels["label"], labels, 0.0)
        vectors = timelike(vectors.double())
        batch = exactly(batch, table.spec.node_features, vectors.transpose(1, 2)[mask[:, 0] > 0])
        with torch.no_grad():
            mine = theirs.part.fc(encoder.states(batch, inputs.double())[1])
            other = theirs(features.double(), vectors, mask)
        scale = float(other.abs().max())
        differences.append(agree(f"outputs of {name}", mine / scale, other / scale, TOLERANCE))
    return max(differences)


def timelike(vectors: Tensor) -> Tensor:
    """Momenta `(n_jet, 4, LONGEST)` whose energies rounding has not put below the momentum.

    Where we take the mass as zero, weaver not.
    """
    least = vectors[:, :3].norm(dim=1) * (1.0 + 1e-9)
    return torch.cat([vectors[:, :3], torch.maximum(vectors[:, 3], least).unsqueeze(1)], dim=1)


def exactly(batch: Batch, columns: Sequence[str], momenta: Tensor) -> Batch:
    """The batch in double precision with the very momenta that weaver has.

    Whose rounding shows in the masses of pairs.
    """
    px, py, pz, energy = momenta.unbind(1)
    pt, nodes = torch.hypot(px, py), batch.nodes.double()
    for column, value in {"pt": pt, "eta": torch.asinh(pz / pt), "phi": torch.atan2(py, px), "energy": energy}.items():
        nodes[:, columns.index(column)] = value
    return batch.replace(nodes=nodes, globals=batch.globals.double())


def first_of_weaver(file: Path, config: Path) -> tuple[Tensor, ...]:
    """Features `(n_jet, n_feature, LONGEST)`, momenta, mask and label of the first jets of a file.

    As weaver reads them.
    """
    from weaver.utils.dataset import SimpleIterDataset

    dataset = SimpleIterDataset({"a": [str(file)]}, str(config), for_training=False, fetch_step=1)
    inputs, labels, _ = next(iter(torch.utils.data.DataLoader(dataset, batch_size=N_CHECKED)))
    return inputs["pf_features"], inputs["pf_vectors"], inputs["pf_mask"], labels["_label_"]


def check_jets(
    name: str, batch: Batch, columns: Sequence[str], features: Tensor, vectors: Tensor, mask: Tensor
) -> Tensor:
    """Weaver's inputs of the constituents, `(total_node, n_feature)`.

    Raises UnequalError where constituents are not ours.
    """
    there = mask[:, 0] > 0
    agree(f"constituents of {name}", batch.n_node, there.sum(1), 0.0)
    theirs, momenta = features.transpose(1, 2)[there], vectors.transpose(1, 2)[there]
    ours = {column: batch.nodes[:, place] for place, column in enumerate(columns)}
    ours |= {column: ours[column].tanh() for column in BY_TANH}
    pt, eta, phi = ours["pt"], ours["eta"], ours["phi"]
    mine = {"px": pt * phi.cos(), "py": pt * phi.sin(), "pz": pt * eta.sinh(), "energy": ours["energy"]}
    pairs = [(one, momenta[:, place], column) for place, (column, one) in enumerate(mine.items())]
    plain = OURS[OURS.index("delta_r") + 1 :]  # those before are scaled, or relative to what each takes for the jet
    pairs += [(ours[column], theirs[:, OURS.index(column)], column) for column in plain]
    for one, other, column in pairs:
        agree(f"{column} of {name}", one, other, TOLERANCE * max(float(other.abs().max()), 1.0))
    return theirs


def check_learned(auc: float, accuracy: float, *, quick: bool) -> None:
    """Raises UnequalError where a network has learned nothing."""
    if not quick and min(auc, accuracy) < SMALLEST_AUC:
        raise UnequalError(f"a network has learned nothing: AUC {auc:.3f} of ours, accuracy {accuracy:.3f} of weaver's")


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
        difference = check(folder, mine, config)
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
            check_learned(last["root_gnn"][2], last["weaver"][2], quick=bench.quick)
    note = f"{n_epoch} epochs; AUC {last['root_gnn'][2]:.3f}, weaver's accuracy {last['weaver'][2]:.3f}"
    note += f"; {last['root_gnn'][1]:,} and {last['weaver'][1]:,} parameters"
    yield Row.spread(
        ratios(seconds["weaver"], seconds["root_gnn"]),
        what=f"from ROOT files to a trained network, {n_all:,} jets",
        reference="weaver",
        target=2.0,
        unit="s",
        rates={which: Spread.of(values).median for which, values in seconds.items()},
        note=note,
        max_difference=difference,
    )


def arguments(parser: argparse.ArgumentParser) -> None:
    """How much there is to train on."""
    parser.add_argument("--jets", type=int, default=N_JET, help="of each class")
    parser.add_argument("--epochs", type=int, default=N_EPOCH)


if __name__ == "__main__":
    sys.exit(run_case(results, __doc__, n_core=2, arguments=arguments))
