#!/usr/bin/env python3
"""Makes files of hard events with Sherpa, as those in root_gnn/simulation/sherpa/events were made.

tools/hard_events.py --events 5000 --process tHjb --process tW --process ttW --process ttZ --process ttyy --process ttt
tools/hard_events.py --events 3000 --process tttt
"""

from __future__ import annotations

import argparse
from pathlib import Path

from root_gnn.simulation.process import all_processes, find_process
from root_gnn.simulation.sherpa.files import cross_section
from root_gnn.simulation.sherpa.make import HardEventsRequest, make_hard_events
from root_gnn.simulation.sherpa.program import find_program
from root_gnn.simulation.sherpa.shipped import ENERGY, EVENTS

NAMES = [process.name for process in all_processes() if process.card is not None]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--process", action="append", required=True, choices=NAMES)
    parser.add_argument("--events", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=EVENTS, help="the folder for PROCESS.lhe.gz")
    arguments = parser.parse_args()
    program = find_program()
    if program is None:
        raise SystemExit("no program Sherpa is installed beside this Python or on the path")
    for name in arguments.process:
        process = find_process(name)
        if process.card is not None:
            path = arguments.out / f"{name}.lhe.gz"
            events, seed = arguments.events, arguments.seed
            make_hard_events(HardEventsRequest(path, program, process.card, process.id, events, seed, ENERGY))
            section = cross_section(path)
            print(
                f"{path}: {arguments.events} events, {section.value:.4g} +- {section.error:.2g} pb, "
                f"{path.stat().st_size / 1e6:.2f} MB"
            )


if __name__ == "__main__":
    main()
