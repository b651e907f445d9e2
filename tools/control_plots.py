#!/usr/bin/env python3
r"""Control plots of simulated events: reads what `root-gnn simulate` wrote, writes pictures for docs/simulation.md.

    root-gnn simulate --events 24000 --out DIR --process WH --process ZH --process ttbar --process ggF --process VBF \\
        --process singletop_t --process Zjets
    tools/control_plots.py --data DIR [--data DIR2] --out docs/figures

Each picture shows one quantity of several processes.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import awkward as ak
import matplotlib as mpl
import numpy as np
import uproot

mpl.use("Agg")
import matplotlib.pyplot as plt

from root_gnn.kinematics.fourvectors import mass, to_cartesian

LINES: list[tuple[str, Any, str]] = [  # color, line, marker: told apart in black and white too
    ("black", "-", "o"),
    ("#b03a2e", "--", "s"),
    ("#1f618d", "-.", "^"),
    ("#7d6608", ":", "D"),
    ("#6c3483", (0, (5, 1, 1, 1, 1, 1)), "v"),
]
Z_WINDOW = 76.0, 106.0


class Files:
    """The simulated files of one or more folders, by process."""

    def __init__(self, folders: Sequence[Path]) -> None:
        self._folders = folders

    def events(self, process: str, branches: Sequence[str]) -> ak.Array:
        """Branches of a process, from the first folder that has its file."""
        for folder in self._folders:
            if (folder / f"{process}.root").exists():
                with uproot.open(folder / f"{process}.root") as file:
                    return file["Events"].arrays(list(branches))
        raise SystemExit(f"{process}.root is in none of {', '.join(map(str, self._folders))}; simulate it first")


def pair_mass(events: ak.Array, name: str, chosen: ak.Array) -> np.ndarray:
    """Mass in GeV of the two chosen objects of each event that has exactly two."""
    events, chosen = events[ak.sum(chosen, axis=1) == 2], chosen[ak.sum(chosen, axis=1) == 2]
    first, second = (
        [ak.to_numpy(events[f"{name}_{x}"][chosen][:, i]).astype(float) for x in ("pt", "eta", "phi", "e")]
        for i in (0, 1)
    )
    total = [
        a + b
        for a, b in zip((*to_cartesian(*first[:3]), first[3]), (*to_cartesian(*second[:3]), second[3]), strict=True)
    ]
    return mass(*total)


def points(axis: Any, values: np.ndarray, edges: np.ndarray, *, style: int = 0, label: str | None = None) -> None:
    """Events per bin with Poisson errors."""
    count, _ = np.histogram(values, edges)
    color, _, marker = LINES[style]
    center, half = 0.5 * (edges[1:] + edges[:-1]), 0.5 * np.diff(edges)
    axis.errorbar(center, count, np.sqrt(count), half, fmt=marker, color=color, ms=3.5, lw=1, label=label)


def steps(axis: Any, values: np.ndarray, edges: np.ndarray, *, style: int, label: str) -> None:
    """Fraction of events per bin as a line, with error bars at the bin centres; the last bin takes what lies beyond."""
    count, _ = np.histogram(np.clip(values, None, 0.5 * (edges[-2] + edges[-1])), edges)
    color, line, _ = LINES[style]
    axis.stairs(count / len(values), edges, color=color, ls=line, lw=1.4, label=label)
    axis.errorbar(
        0.5 * (edges[1:] + edges[:-1]),
        count / len(values),
        np.sqrt(count) / len(values),
        fmt="none",
        color=color,
        lw=0.9,
    )


def masses(files: Files, out: Path) -> None:
    figure, axes = plt.subplots(1, 2, figsize=(9, 3.6))
    branches = [f"{name}_{x}" for name in ("ele", "mu") for x in ("pt", "eta", "phi", "e", "charge")]
    z = files.events("ZH", branches)
    edges = np.arange(60, 121, 2.0)
    for style, (name, label) in enumerate((("mu", r"$Z\to\mu\mu$"), ("ele", r"$Z\to ee$"))):
        opposite = z[ak.sum(z[f"{name}_charge"], axis=1) == 0]
        found = pair_mass(opposite, name, ak.ones_like(opposite[f"{name}_pt"], dtype=bool))
        points(
            axes[0],
            found,
            edges,
            style=style,
            label=f"{label}, median {np.median(found[(found > 76) & (found < 106)]):.1f} GeV",
        )
    axes[0].axvline(91.19, color="0.5", lw=0.8, ls="--")
    axes[0].set(
        xlabel="dilepton mass [GeV]", ylabel="events / 2 GeV", xlim=(60, 120), title="ZH, two opposite-sign leptons"
    )
    wh = files.events("WH", ["jet_pt", "jet_eta", "jet_phi", "jet_e", "jet_btag", "jet_truthflav"])
    edges = np.arange(20, 221, 10.0)
    tagged = wh.jet_btag == 1
    points(axes[1], pair_mass(wh, "jet", tagged), edges, label="two b-tagged jets")
    points(
        axes[1], pair_mass(wh, "jet", tagged & (wh.jet_truthflav == 5)), edges, style=1, label="both with a b hadron"
    )
    axes[1].axvline(125.0, color="0.5", lw=0.8, ls="--")
    axes[1].set(
        xlabel="dijet mass [GeV]", ylabel="events / 10 GeV", xlim=(20, 220), title="WH, exactly two b-tagged jets"
    )
    save(figure, axes, out / "simulation_masses.png")


def jets(files: Files, out: Path) -> None:
    figure, axes = plt.subplots(1, 2, figsize=(9, 3.6))
    for style, process in enumerate(("ggF", "VBF", "WH", "singletop_t", "ttbar")):
        events = files.events(process, ["njet", "jet_pt"])
        steps(axes[0], ak.to_numpy(events.njet), np.arange(-0.5, 12), style=style, label=process)
        leading = ak.to_numpy(ak.max(events.jet_pt[events.njet > 0], axis=1))
        steps(axes[1], leading, np.arange(25, 326, 15.0), style=style, label=process)
    axes[0].set(xlabel="number of jets", ylabel="fraction of events", title="pt > 25 GeV, |eta| < 4.5")
    axes[1].set(
        xlabel="pt of the leading jet [GeV]",
        ylabel="fraction of events / 15 GeV",
        yscale="log",
        title="last bin with overflow",
    )
    save(figure, axes, out / "simulation_jets.png")


def tags(files: Files, out: Path) -> None:
    figure, axis = plt.subplots(figsize=(5.4, 3.6))
    events = files.events("ttbar", ["jet_pt", "jet_eta", "jet_btag", "jet_truthflav"])
    inside = abs(events.jet_eta) < 2.5
    pt, flavour, tag = (ak.to_numpy(ak.flatten(events[f"jet_{name}"][inside])) for name in ("pt", "truthflav", "btag"))
    edges = np.array([25, 40, 60, 80, 110, 150, 250.0])
    for style, (code, label, rate) in enumerate(((5, "bottom", 0.70), (4, "charm", 0.10), (0, "light", 0.01))):
        total, passed = (np.histogram(pt[keep], edges)[0] for keep in (flavour == code, (flavour == code) & (tag == 1)))
        color, line, marker = LINES[style]
        center = 0.5 * (edges[1:] + edges[:-1])
        axis.errorbar(
            center,
            passed / total,
            np.sqrt(passed * (1 - passed / total)) / total,
            0.5 * np.diff(edges),
            fmt=marker,
            color=color,
            ms=4,
            lw=1,
            label=f"{label} ({total.sum():,})",
        )
        axis.axhline(rate, color=color, ls=line, lw=0.8)
    axis.set(xlabel="jet pt [GeV]", ylabel="b-tag rate", yscale="log", ylim=(0.003, 6))
    axis.set_title("jets in ttbar, |eta| < 2.5; lines: the parameters")
    save(figure, [axis], out / "simulation_btag.png", columns=3)


def missing_momentum(files: Files, out: Path) -> None:
    figure, axis = plt.subplots(figsize=(5.4, 3.6))
    branches = [f"{name}_{x}" for name in ("ele", "mu") for x in ("pt", "eta", "phi", "e")] + [
        "met_met",
        "met_phi",
        "met_sumet",
    ]
    events = files.events("Zjets", branches)
    chosen = np.zeros(len(events), dtype=bool)
    for name in ("ele", "mu"):
        two = ak.to_numpy(ak.num(events[f"{name}_pt"]) == 2)
        found = pair_mass(events, name, ak.ones_like(events[f"{name}_pt"], dtype=bool))
        chosen[np.flatnonzero(two)[(found > Z_WINDOW[0]) & (found < Z_WINDOW[1])]] = True
    met, phi, total = (ak.to_numpy(events[f"met_{x}"])[chosen] for x in ("met", "phi", "sumet"))
    components = np.stack((met * np.cos(phi), met * np.sin(phi)))
    edges = np.quantile(total, np.linspace(0, 1, 7))
    edges[-1] += 1.0
    place = np.digitize(total, edges) - 1
    for i in range(len(edges) - 1):
        width = components[:, place == i].std()
        n = 2 * (place == i).sum()
        middle = total[place == i].mean()
        span = [[middle - edges[i]], [edges[i + 1] - middle]]
        label = r"$Z\to\ell\ell$, no true missing momentum" if i == 0 else None
        axis.errorbar(middle, width, width / np.sqrt(2 * n), span, fmt="o", color="black", ms=4, lw=1, label=label)
    grid = np.linspace(edges[0], edges[-1], 100)
    axis.plot(grid, np.hypot(4.0, 0.25 * np.sqrt(grid)), "--", color="#b03a2e", lw=1.2, label="noise term alone")
    axis.set(xlabel="sum of transverse momenta [GeV]", ylabel="width of a component [GeV]", ylim=(0, None))
    axis.set_title("missing transverse momentum")
    save(figure, [axis], out / "simulation_met.png")


def save(figure: Any, axes: Sequence[Any], path: Path, *, columns: int = 1) -> None:
    for axis in axes:
        axis.legend(frameon=False, fontsize=8, ncols=columns)
        axis.title.set_fontsize(9)
        axis.tick_params(direction="in", top=True, right=True)
    figure.tight_layout()
    figure.savefig(path, dpi=110)
    plt.close(figure)
    print(path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--data", type=Path, action="append", required=True, help="folder of simulated files; may be given again"
    )
    parser.add_argument("--out", type=Path, default=Path("docs/figures"))
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    files = Files(arguments.data)
    for plot in (masses, jets, tags, missing_momentum):
        plot(files, arguments.out)


if __name__ == "__main__":
    main()
