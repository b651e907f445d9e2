"""Translates a configuration of root_gnn_dgl (Ho et al. 2024, arXiv:2412.10665) to a recipe and a data spec.

The keys of the published configurations are known; others are noted by name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from root_gnn.convert.converted import Notes
from root_gnn.convert.foreign import mapping, text_list
from root_gnn.convert.naming import prefix_of
from root_gnn.errors import InputError

COLLECTIONS = {"ele": "electron", "mu": "muon", "ph": "photon"}
MOMENTUM = ("pt", "eta", "phi")  # the first three rows of node_branch_names
MASSLESS, TYPE = "CALC_E", "NODE_TYPE"
FAITHFUL: Mapping[str, Any] = {
    "activation": "relu",
    "activate_last": True,
    "residual": False,
    "share_steps": True,
    "aggregation": ["sum"],
    "pooling": ["mean"],
    "pair_features": ["delta_eta", "delta_phi", "delta_r"],
    "type_embedding": False,
    "absolute_phi": True,
}
"""The network as published; `configs/pretrain_multiclass_faithful.yaml` is the same."""
SIZES = {"hid_size": "dim", "n_layers": "n_layer", "n_proc_steps": "n_steps", "dropout": "dropout"}
DEFAULTS = {"hid_size": 64, "n_layers": 4, "n_proc_steps": 4, "dropout": 0.0}
NETWORK = "Edge_Network"
TRAINING = ("epochs", "batch_size", "learning_rate", "gamma")
TOLD_ELSEWHERE = ("in_size", "out_size")  # by the data spec, by the classes
READ = ("Training_Name", "Training_Directory", "Model", "Training", "Datasets")
OF_DATASET = ("module", "class", "args", "folding")
OF_ARGUMENTS = (
    "name",
    "label",
    "file_names",
    "tree_name",
    "weight_var",
    "fold_var",
    "node_branch_names",
    "node_branch_types",
    "node_feature_scales",
)
UNNEEDED = ("shuffle_chunks", "batch_size", "padding_mode", "chunks", "buffer_size", "save_dir", "raw_dir")
"""Keys about the files of graphs in between, which the cache makes do without."""


def is_root_gnn_dgl(content: Mapping[str, Any]) -> bool:
    """Whether a file's keys are those of a configuration of root_gnn_dgl."""
    return "Model" in content and "Datasets" in content


def to_recipe(
    content: Mapping[str, Any], *, name: str, spec: str, notes: Notes
) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """Returns the recipe and, if the configuration names branches, the data spec `name`, as plain values.

    `spec` is the file name of that spec in the recipe; without branches the recipe uses the shipped `events`. Raises
    InputError if there are no data sets of at least two labels.
    """
    datasets = {key: mapping(value) for key, value in mapping(content.get("Datasets")).items()}
    described = _spec(name, datasets, notes)
    if described is None:
        notes.different.append(
            "node_branch_names is not there: the recipe reads the standard ntuple, data spec `events`; name your own "
            "under data.spec (`root-gnn inspect FILE --draft-spec` makes one)"
        )
    recipe = {
        "name": re.sub(r"[^A-Za-z0-9_.+-]+", "_", str(content.get("Training_Name") or name)).lstrip("_.+-") or name,
        "seed": 1,
        "data": _data(datasets, "events" if described is None else spec, notes),
        "model": _model(mapping(content.get("Model")), notes),
        "objective": {
            "name": "multiclass",
            "head": {"name": "mlp", "n_layer": 4, "activation": "relu", "dropout": 0.0},
        },
        **_training(mapping(content.get("Training")), notes),
    }
    for key in content:
        if key not in READ:
            notes.lose(key, "no such key is known")
    if content.get("Training_Directory"):
        notes.different.append(f"Training_Directory ({content['Training_Directory']}): say it with --run-dir")
    return recipe, described


def _data(datasets: Mapping[str, Mapping[str, Any]], spec: str, notes: Notes) -> dict[str, Any]:
    """Returns the section `data`, with the classes in the order of their labels."""
    by_label: dict[int, tuple[str, list[str]]] = {}
    for key, dataset in datasets.items():
        arguments = mapping(dataset.get("args"))
        label, files = arguments.get("label"), text_list(arguments.get("file_names"))
        if not isinstance(label, int) or not files:
            notes.lose(f"Datasets.{key}", "a whole number `label` and `file_names` were expected under args")
        elif label in by_label:
            by_label[label][1].extend(files)
            notes.different.append(f"Datasets.{key} has the label of {by_label[label][0]}, and is a part of that class")
        else:
            by_label[label] = key, files
    if len(by_label) < 2:
        raise InputError(
            f"Datasets: at least two of different labels were expected, with file_names; "
            f"there are {len(by_label)} among {', '.join(datasets) or 'none'}"
        )
    data: dict[str, Any] = {"spec": spec, "classes": dict(by_label[label] for label in sorted(by_label))}
    split = _split([mapping(dataset.get("folding")) for dataset in datasets.values()], notes)
    _unknown(datasets, notes)
    return data | ({"split": split} if split else {})


def _split(foldings: Sequence[Mapping[str, Any]], notes: Notes) -> dict[str, Any] | None:
    """Returns the section `split`, if one fold tests and the others train."""
    given = [folding for folding in foldings if folding]
    if not given:
        return None
    n_fold, test = given[0].get("n_folds"), given[0].get("test")
    places = test if isinstance(test, list) else [test]
    if (
        any(folding != given[0] for folding in given)
        or not isinstance(n_fold, int)
        or n_fold < 2
        or len(places) != 1
        or not isinstance(places[0], int)
        or not 0 <= places[0] < n_fold
    ):
        notes.lose(
            "folding",
            "one and the same for all data sets was expected, with n_folds and one fold that tests; see data.split",
        )
        return None
    notes.different.append(
        "folding: folds are told by the hash of the event's id, not by the remainder of fold_var, and a tenth of what "
        "trains validates"
    )
    return {"n_fold": n_fold, "fold": places[0], "validation": 0.1}


def _model(model: Mapping[str, Any], notes: Notes) -> dict[str, Any]:
    """Returns the section `model`: the published network with the sizes of the configuration."""
    arguments = mapping(model.get("args"))
    if model.get("class") not in (NETWORK, None):
        notes.lose(
            f"Model.class {model['class']}",
            f"only {NETWORK} is known, whose sizes were taken; to start from pretrained weights "
            "say `root-gnn finetune --task NAME --from RUN`",
        )
    for key in arguments:
        if key not in (*SIZES, *TOLD_ELSEWHERE):
            notes.lose(f"Model.args.{key}", "no such key of the network is known")
    if arguments.get("out_size") == 1:
        notes.different.append(
            "out_size 1: two classes have two outputs here and a softmax, the same model as one output and a sigmoid"
        )
    sizes = {ours: arguments.get(theirs, DEFAULTS[theirs]) for theirs, ours in SIZES.items()}
    return {"name": "encode_process_decode", **sizes, **FAITHFUL}


def _training(training: Mapping[str, Any], notes: Notes) -> dict[str, Any]:
    """Returns the sections `optim` and `train`."""
    for key in training:
        if key not in TRAINING:
            notes.lose(f"Training.{key}", "no such key is known")
    optim: dict[str, Any] = {"lr": training.get("learning_rate", 1e-4), "weight_decay": 0.0}
    if "gamma" in training:
        optim |= {"schedule": "exponential", "gamma": training["gamma"]}
    train = {
        "max_epochs": training.get("epochs", 500),
        "batch_size": training.get("batch_size", 1024),
        "monitor": "val/loss",
    }
    return {"optim": {**optim, "warmup": 0.0, "clip_norm": None}, "train": train}


def _spec(name: str, datasets: Mapping[str, Mapping[str, Any]], notes: Notes) -> dict[str, Any] | None:
    """Returns the data spec of the first data set, which the others must share; None if it names no branches."""
    all_arguments = [mapping(dataset.get("args")) for dataset in datasets.values()]
    first = next((arguments for arguments in all_arguments if arguments.get("node_branch_names")), None)
    if first is None:
        return None
    keys = ("tree_name", "weight_var", "fold_var", "node_branch_names", "node_branch_types", "node_feature_scales")
    unlike = [key for key in keys if any(arguments.get(key) != first.get(key) for arguments in all_arguments)]
    for key in unlike:
        notes.lose(key, "it is not the same for all data sets; that of the first was taken")
    nodes, features = _nodes(first, notes)
    if first.get("node_feature_scales"):
        notes.different.append(
            "node_feature_scales: the scale is fitted to the training data and kept with the weights"
        )
    spec: dict[str, Any] = {
        "name": name,
        "source": {"name": "root", "tree": str(first.get("tree_name") or "output")},
        "nodes": nodes,
        "node_features": features,
    }
    spec |= {"id": [str(first["fold_var"])]} if first.get("fold_var") else {}
    return spec | ({"weight": [str(first["weight_var"])]} if first.get("weight_var") else {})


def _nodes(arguments: Mapping[str, Any], notes: Notes) -> tuple[dict[str, Any], list[str]]:
    """Returns the collections and the node features; raises InputError if the first rows are not the momenta."""
    rows = arguments["node_branch_names"]
    lists = [row for row in rows if isinstance(row, list)] if isinstance(rows, list) else []
    n_kind = len(lists[0]) if lists else 0
    if (
        not isinstance(rows, list)
        or rows[:3] != lists[:3]
        or len(lists) < 3
        or any(len(row) != n_kind for row in lists)
    ):
        raise InputError(
            "node_branch_names: a list of rows was expected, pt, eta and phi first, "
            "each with a branch for every kind of object"
        )
    features = [_feature(index, row) for index, row in enumerate(rows)]
    kinds = text_list(arguments.get("node_branch_types")) or ["vector"] * n_kind
    nodes: dict[str, Any] = {}
    for index in range(n_kind):
        branches = {feature: row[index] for feature, row in zip(features, rows, strict=True) if isinstance(row, list)}
        node: dict[str, Any] = {"type": index}
        if kinds[index : index + 1] == ["single"]:
            node["single"] = True
        node["features"] = {feature: branch for feature, branch in branches.items() if isinstance(branch, str)}
        constants = {
            feature: branch
            for feature, branch in branches.items()
            if not isinstance(branch, str) and branch not in (0, None)
        }
        for feature, branch in constants.items():
            notes.lose(
                f"node_branch_names, {feature} of kind {index}", f"the constant {branch}; what is not there is 0 here"
            )
        nodes[_kind(branches, index)] = node
    wanted = ["pt", "eta", "phi", "energy"]
    return nodes, [*wanted, *(feature for feature in features if feature not in (*wanted, "type")), "type"]


def _feature(i_row: int, row: Any) -> str:
    """Returns the feature of row number `i_row`: by its number, or by the end of its branches' names."""
    if not isinstance(row, list):
        known = {MASSLESS: "energy", TYPE: "type"}
        if str(row) not in known:
            raise InputError(
                f"node_branch_names: row {i_row} is {row!r}; a list of branches, {MASSLESS} or {TYPE} was expected"
            )
        return known[str(row)]
    if i_row < len(MOMENTUM):
        return MOMENTUM[i_row]
    branch = next((one for one in row if isinstance(one, str)), f"feature_{i_row}")
    short = branch.rpartition("_")[2]
    return "energy" if short in ("e", "E", "energy") else short


def _kind(branches: Mapping[str, Any], i_kind: int) -> str:
    """Returns the collection of an object kind, by the common prefix of its branches."""
    prefix = prefix_of([branch for branch in branches.values() if isinstance(branch, str)]).rstrip("_")
    return COLLECTIONS.get(prefix, prefix.lower() or f"object_{i_kind}")


def _unknown(datasets: Mapping[str, Mapping[str, Any]], notes: Notes) -> None:
    """Notes the other keys of the data sets, each once."""
    keys = dict.fromkeys(key for dataset in datasets.values() for key in dataset if key not in OF_DATASET)
    inner = dict.fromkeys(
        key for dataset in datasets.values() for key in mapping(dataset.get("args")) if key not in OF_ARGUMENTS
    )
    unneeded = [key for key in (*keys, *inner) if key in UNNEEDED]
    if unneeded:
        notes.different.append(
            f"{', '.join(dict.fromkeys(unneeded))}: graphs are made from the cache when they are needed, and every "
            "epoch is shuffled; train.batch_size alone says how many go together"
        )
    for key in keys:
        if key not in UNNEEDED:
            notes.lose(f"Datasets.*.{key}", "no such key is known")
    for key in inner:
        if key not in UNNEEDED:
            notes.lose(f"Datasets.*.args.{key}", "no such key is known")
