"""The parts of the files in `benchmarks/`: how a case is measured, and the command line that all cases share."""

from __future__ import annotations

import argparse
import importlib.util
import json
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from root_gnn.bench.limit import MULTIPLICATION, multiplication
from root_gnn.bench.machine import ALLOCATORS, Allocator, describe_machine, machine_load, pin
from root_gnn.bench.row import LeftOut, Row
from root_gnn.bench.suite import run_cases
from root_gnn.bench.timing import Clock, Run, Spread, alternate, ratios
from root_gnn.console import log, set_verbosity
from root_gnn.errors import InputError

N_ROUND, N_QUICK = 9, 1
Found = Iterable[Row | LeftOut]


class UnequalError(Exception):
    """Raised where two implementations that should give the same do not, so that nothing is timed."""


@dataclass(frozen=True)
class Work:
    """Matrix products of one run of ours, in floating-point operations, and the width of its matrices."""

    operations: float
    width: int


@dataclass(frozen=True)
class Bench:
    """How a case is to be measured.

    Attributes:
        rounds: turns of each comparison.
        quick: sizes as small as possible: everything runs, and no time means anything.
        allocator: the memory allocator that the process was started with.
        data_dir: simulated files to use instead of the repository's.
        options: options of the case itself on its command line.
    """

    rounds: int
    quick: bool
    allocator: Allocator
    data_dir: Path | None
    options: argparse.Namespace

    @property
    def thorough(self) -> bool:
        """Whether settings without a target are measured too: not in quick runs, and once for both allocators."""
        return not self.quick and self.allocator == "tuned"

    def compare(
        self,
        what: str,
        runs: Mapping[str, Run],
        *,
        ours: Sequence[str],
        amount: float,
        unit: str,
        difference: float | None = None,
        targets: Mapping[str, float] | float | None = None,
        work: Mapping[str, Work] | None = None,
        limit_targets: Mapping[str, float] | None = None,
        clock: Clock = time.process_time,
        warm_up: int = 1,
        note: str = "",
    ) -> Iterator[Row]:
        """Times the `runs` by turns and yields a row for each of `ours` against each of the others.

        Args:
            what: the setting in words.
            runs: the functions to time, by name.
            ours: names of those that are compared with the others.
            amount: how many of `unit` one run processes.
            unit: what is counted, without the `/s`.
            difference: the difference of the outputs that `agree` returned before.
            targets: the ratio required of each of ours, or of all.
            work: the matrix products of ours, for the fraction of the speed of `torch.mm`, which takes turns with them.
            limit_targets: the fraction required.
            clock: the processor's, which a busy machine does not change; the wall clock for several processes or a
                disk.
            warm_up: runs before the first round.
            note: a remark for the reader.
        """
        everything, operations = dict(runs), 1.0
        if work:
            everything[MULTIPLICATION], operations = multiplication(next(iter(work.values())).width)
        seconds = alternate(everything, self.rounds, clock=clock, warm_up=0 if self.quick else warm_up)
        fastest = seconds.pop(MULTIPLICATION, [])
        rates = {name: amount / Spread.of(values).median for name, values in seconds.items()}
        for mine in ours:
            asked = targets.get(mine) if isinstance(targets, Mapping) else targets
            fraction = None
            if work and mine in work:
                share = work[mine].operations / operations
                fraction = ratios([share * each for each in fastest], seconds[mine]).median
            for other in (name for name in seconds if name not in ours):
                yield Row.spread(
                    ratios(seconds[other], seconds[mine]),
                    what=what,
                    ours=mine,
                    reference=other,
                    target=asked,
                    unit=f"{unit}/s",
                    rates={name: rates[name] for name in (mine, other)},
                    limit_fraction=fraction,
                    limit_target=(limit_targets or {}).get(mine),
                    max_difference=difference,
                    note=note,
                )


def agree(what: str, ours: Tensor, theirs: Tensor, tolerance: float) -> float:
    """Returns the largest difference of two outputs; raises UnequalError where it is not below the tolerance.

    Args:
        what: what is compared, for the message.
        ours: output of this library.
        theirs: output of the other one, of the same shape.
        tolerance: largest absolute difference allowed.
    """
    if ours.shape != theirs.shape:
        raise UnequalError(f"{what}: the outputs are {tuple(ours.shape)} and {tuple(theirs.shape)}; nothing is timed")
    difference = float((ours.double() - theirs.double()).abs().max()) if ours.numel() else 0.0
    if not difference <= tolerance:
        raise UnequalError(
            f"{what}: the outputs differ by {difference:.1e}, {tolerance:.0e} is allowed; nothing is timed"
        )
    return difference


def installed(package: str) -> bool:
    """Whether a package is installed, without importing it."""
    return importlib.util.find_spec(package) is not None


def run_case(
    results: Callable[[Bench], Found],
    document: str | None,
    *,
    n_core: int = 1,
    arguments: Callable[[argparse.ArgumentParser], None] | None = None,
) -> int:
    """Runs the command line of a case and returns its exit code.

    The case is measured in a process of its own for each allocator, held on `n_core` cores with as many threads.

    Args:
        results: yields the rows of the case.
        document: docstring of the case, for `--help`.
        n_core: cores and threads.
        arguments: adds options of the case to the parser.
    """
    set_verbosity(0)
    options = _parser(document, arguments).parse_args()
    try:
        if options.child is not None:
            options.child.write_text(json.dumps(_measured(results, options, n_core)), encoding="utf-8")
            return 0
        allocators = ALLOCATORS if options.allocator == "both" else (options.allocator,)
        found = run_cases([Path(sys.argv[0])], allocators=allocators, arguments=sys.argv[1:], out=options.out)
    except (InputError, UnequalError) as error:
        sys.stderr.write(f"{error}\n")
        return 2 if isinstance(error, InputError) else 1
    if options.out is None:
        sys.stdout.write(found.markdown())
    return 0


def _parser(
    document: str | None, arguments: Callable[[argparse.ArgumentParser], None] | None
) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=document, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=N_ROUND, help="turns of each comparison")
    parser.add_argument(
        "--quick", action="store_true", help="as small as it can be: everything runs, and no time means anything"
    )
    parser.add_argument(
        "--allocator", choices=[*ALLOCATORS, "both"], default="both", help="memory allocator of the process"
    )
    parser.add_argument("--data-dir", type=Path, help="simulated files to use instead of the repository's")
    parser.add_argument(
        "--out", type=Path, help="a JSON file, with a table in Markdown beside it; or a folder for both"
    )
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    if arguments is not None:
        arguments(parser)
    return parser


def _measured(results: Callable[[Bench], Found], options: argparse.Namespace, n_core: int) -> dict[str, Any]:
    """Runs a case in this process and returns what the parent reads from the file."""
    pin(n_core, hold=not options.quick)
    torch.manual_seed(1)
    bench = Bench(
        rounds=min(options.rounds, N_QUICK) if options.quick else options.rounds,
        quick=options.quick,
        allocator=options.allocator,
        data_dir=options.data_dir,
        options=options,
    )
    rows, left_out, busy = [], [], machine_load()
    for one in results(bench):
        if isinstance(one, LeftOut):
            log.warning("%s is left out: %s", one.what, one.reason)
            left_out.append(asdict(one))
        else:
            log.info(
                "%s, %s: %.3g [%.3g..%.3g] against %s",
                one.what,
                one.ours,
                one.ratio,
                one.low,
                one.high,
                one.reference or "nothing",
            )
            conditions = {"rounds": bench.rounds, "quick": bench.quick, "cores": n_core, "load": busy}
            rows.append({**one.entry(), **conditions, **({"passes": None} if bench.quick else {})})
    return {"machine": describe_machine(), "rows": rows, "left_out": left_out}
