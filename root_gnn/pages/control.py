"""The page of `root-gnn simulate --control`: every process against what is known of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

import root_gnn.plots as plots
from root_gnn.atomic import write_json, write_text
from root_gnn.console import log
from root_gnn.errors import InputError
from root_gnn.pages import html as page
from root_gnn.plots import Distribution
from root_gnn.simulation.control import Check, Control, control
from root_gnn.simulation.parameters import check_params
from root_gnn.simulation.process import find_process

HEADER = ("quantity", "found", "known", "error", "pull")
_N_BIN = 40
_TAIL = 0.005  # of the values on either side that a picture leaves out


def control_page(
    names: Sequence[str], *, events: int, out: Path, level: str = "events", seed: int = 1, params: Mapping[str, str]
) -> list[Control]:
    """Writes `control.html` and `control.json`: simulated processes against what is known of them.

    `events` events of each process are generated.

    Raises InputError for names and parameters as `simulate` does.

    Args:
        names: of the processes.
        events: number of events to generate of each process.
        out: the folder to write into.
        level: of the simulation, as `root-gnn simulate --level`.
        seed: of the generator.
        params: overrides of parameters of the processes, by name.
    """
    if not names:
        raise InputError("--control: at least one --process is needed; `root-gnn simulate --list` shows them")
    chosen = [find_process(name, level) for name in names]
    check_params(params, chosen, from_file=False)
    out.mkdir(parents=True, exist_ok=True)
    found: list[Control] = []
    for process in chosen:
        found.append(one := control(process, events=events, seed=seed, params=params))
        n_wrong = sum(not check.holds for check in one.checks)
        log.info(
            "%s: %s events, %s failed, %s of %s checks do not hold",
            one.process,
            f"{one.n_event:,}",
            one.n_failed,
            n_wrong,
            len(one.checks),
        )
    write_json(out / "control.json", [_content(one) for one in found])
    parts = [page.paragraph(_summary(found)), *(part for one in found for part in _section(one, out))]
    write_text(out / "control.html", page.page("Simulated processes against known values", parts))
    log.info("%s", out / "control.html")
    return found


def _summary(found: Sequence[Control]) -> str:
    checks = [check for one in found for check in one.checks]
    wrong = [f"{one.process} {check.quantity}" for one in found for check in one.checks if not check.holds]
    pulls = [abs(check.pull) for check in checks if check.pull is not None]
    said = f"{len(checks)} quantities of {len(found)} processes; the largest pull is {max(pulls, default=0.0):.1f}. "
    return said + (
        f"These do not hold: {', '.join(wrong)}."
        if wrong
        else "All hold: exact ones exactly, the others within 4 errors."
    )


def _content(one: Control) -> dict[str, Any]:
    section = one.cross_section
    return {
        "process": one.process,
        "n_events": one.n_event,
        "n_failed": one.n_failed,
        "cross_section": section.value,
        "cross_section_error": section.error,
        "checks": [
            {
                "quantity": c.quantity,
                "found": c.observed,
                "known": c.expected,
                "error": c.error,
                "pull": c.pull,
                "holds": c.holds,
            }
            for c in one.checks
        ],
    }


def _section(one: Control, out: Path) -> list[str]:
    picture = out / f"control_{one.process}.png"
    plots.distributions([_distribution(name, values) for name, values in one.spectra.items()], picture)
    section = one.cross_section
    return [
        page.heading(one.process),
        page.paragraph(
            f"{one.description}: {one.n_event:,} events, {one.n_failed} failed; cross section {section.value:.4g} +- "
            f"{section.error:.2g} pb."
        ),
        page.table(HEADER, (_row(check) for check in one.checks)),
        page.picture(
            picture,
            f"{one.process}: masses, transverse momenta and charged particles; half a percent at either end left out",
        ),
    ]


def _row(check: Check) -> tuple[str, ...]:
    pull = ("exact" if check.holds else "not exact") if check.pull is None else f"{check.pull:+.2f}"
    return (
        check.quantity,
        f"{check.observed:.4g}",
        f"{check.expected:.4g}",
        f"{check.error:.2g}" if check.error else "",
        pull,
    )


def _distribution(name: str, values: np.ndarray[Any, np.dtype[np.floating[Any]]]) -> Distribution:
    low, high = np.quantile(values, (_TAIL, 1.0 - _TAIL))
    edges = np.linspace(low, high if high - low > 1e-3 * abs(high) else low + 1.0, _N_BIN + 1)
    return Distribution(name, edges, {"": np.histogram(values, edges)[0] / len(values)})
