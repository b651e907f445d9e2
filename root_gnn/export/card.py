"""The model card: the network, its training data, its metrics and its limits."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from root_gnn.export.network import Signature
from root_gnn.nn.token_inputs import SUBJET
from root_gnn.runs.run import Run

PLUGIN = 2
"""Index of the plug-in's name in the parts of its module's name, `root_gnn.models.deep_sets`."""


@dataclass(frozen=True)
class Exported:
    """An exported file.

    Attributes:
        path: the file.
        card: the model card next to it, Markdown.
        metadata: the metadata in the file.
        differences: largest absolute difference from PyTorch, by the kind of events it was measured on.
    """

    path: Path
    card: Path
    metadata: Mapping[str, str]
    differences: Mapping[str, float]

    def __str__(self) -> str:
        worst = max(self.differences.values())
        return f"{self.path}: differs from PyTorch by {worst:.1e} at most on real events; {self.card}"


def card(run: Run, signature: Signature, exported: Exported) -> str:
    """Returns the model card of an exported run, Markdown."""
    parts = [
        [f"# Model card: {run.name}", "", _summary(run, signature)],
        ["## Input and output", "", *_interface(signature)],
        ["## Training data", "", *_data(run)],
        ["## Metrics", "", *_metrics(run)],
        ["## Limits", "", *_limits(run, signature)],
        ["## Check against PyTorch", "", *_check(exported)],
        ["## Versions", "", *_table(("what", "which"), sorted(exported.metadata.items()))],
    ]
    return "\n\n".join("\n".join(lines) for lines in parts) + "\n"


def _summary(run: Run, signature: Signature) -> str:
    encoder, objective = (_plugin(section) for section in (run.recipe.model, run.recipe.objective))
    source = run.plan.get("source")
    answers = (
        f"gives a probability for each of {', '.join(signature.outputs)}"
        if signature.outputs
        else "gives a representation"
    )
    origin = f"It started from the pretrained run {source}." if source else "It was trained from random weights."
    n_parameter = f"{run.plan.get('n_parameters', 0):,}"
    return f"A `{encoder}` network of {n_parameter} parameters, trained as `{objective}`, that {answers}. {origin}"


def _interface(signature: Signature) -> list[str]:
    what = {
        "nodes": "float32, a row for each object, graph after graph, with the columns below",
        "n_node": "int64, how many rows each graph has",
        "globals": f"float32, {', '.join(signature.globals)}",
        "event": "int64, the same number for all jets of an event",
    }
    width = {"nodes": f" {len(signature.nodes)}", "globals": f" {len(signature.globals)}"}
    rows = [(name, f"({axis},{width.get(name, '')})", what[name]) for name, axis in signature.inputs.items()]
    kind = {"softmax": "they add up to 1", "sigmoid": "each on its own", "": "what a head reads"}[signature.link]
    rows.append((signature.output, f"(n_graph, {signature.dim})", f"float32, {', '.join((*signature.outputs, kind))}"))
    columns = [
        (str(i_column), name, unit or "-")
        for i_column, (name, unit) in enumerate(zip(signature.nodes, signature.units, strict=True))
    ]
    return [*_table(("tensor", "shape", "holds"), rows), "", *_table(("column of nodes", "feature", "unit"), columns)]


def _data(run: Run) -> list[str]:
    spec, data = run.spec, run.recipe.data
    kinds = ", ".join(f"{name} (type {collection.type})" for name, collection in spec.nodes.items())
    lines = [f"- Read with the data spec `{spec.name}`; objects: {kinds}."]
    if spec.select is not None:
        lines.append(f"- Only entries with `{spec.model_dump(mode='json')['select']}`.")
    if spec.graph_per is not None:
        lines.append(f"- One graph for each value of `{spec.graph_per}`.")
    lines += [f"- Class {name}: {', '.join(files)}." for name, files in data.classes.items()]
    lines += [f"- Files without classes: {', '.join(data.files)}."] if data.files else []
    lines += [f"- Events, {split}: {n:,}." for split, n in run.plan.get("events", {}).items()]
    return lines


def _metrics(run: Run) -> list[str]:
    path = run.folder / "metrics.json"
    if not path.exists():
        return ["The training was not finished, so there are none."]
    splits: dict[str, Any] = run.metrics.get("splits", {})
    rows = [
        (split, name, _figure(value, figures.get(f"{name}_error")))
        for split, figures in splits.items()
        for name, value in figures.items()
        if isinstance(value, int | float) and not name.endswith("_error")
    ]
    rows += [
        (split, f"rejection at {efficiency} signal efficiency", _figure(figure["value"], figure.get("error")))
        for split, figures in splits.items()
        for efficiency, figure in (figures.get("rejection") or {}).items()
        if figure and figure.get("value") is not None
    ]
    return [
        f"Of the epoch {run.metrics.get('best_epoch')}, best by the validation data; errors are statistical alone.",
        "",
        *_table(("split", "figure", "value"), rows),
    ]


def _limits(run: Run, signature: Signature) -> list[str]:
    lines = [
        "- It knows the data above and no other: other processes, detectors, pile-up, selections or objects "
        "need a check of their own.",
        "- Systematic uncertainties are no part of the figures; "
        "score variations of the inputs as those of any other observable.",
        "- Objects must be as the data spec makes them: "
        "same kinds, same types, GeV and radians, phi in [-pi, pi], no NaN.",
        "- All graphs of one call are padded to the largest of them inside networks with attention: "
        "score a few hundred at a time.",
    ]
    if signature.link == "softmax":
        lines.append(
            "- Probabilities are those for classes of the same weight, as in training; "
            "other mixtures need other priors."
        )
    if SUBJET in signature.nodes:
        settings = json.dumps(run.recipe.model.model_dump(mode="json", include={"algorithm", "radius"}))
        lines.append(
            f"- The column `{SUBJET}` numbers the subjet of each constituent, 0 the hardest, "
            f"as clustered by `{settings}`."
        )
    return lines


def _check(exported: Exported) -> list[str]:
    return _table(
        ("on real data", "largest difference"), [(name, f"{value:.1e}") for name, value in exported.differences.items()]
    )


def _plugin(section: Any) -> str:
    return type(section).__module__.split(".", PLUGIN)[-1]


def _figure(value: float, error: Any) -> str:
    text = f"{value:,}" if isinstance(value, int) else f"{value:.4g}"
    return text if not isinstance(error, int | float) else f"{text} ± {error:.2g}"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    return [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}", *(f"| {' | '.join(row)} |" for row in rows)]
