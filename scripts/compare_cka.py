#!/usr/bin/env python3
"""Compares finished runs layer by layer with CKA on the same events; writes cka.json and cka.png.

Does what `root-gnn cka` does, and lets the estimator be chosen.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from root_gnn.analysis.cka import compare_layers
from root_gnn.console import set_verbosity
from root_gnn.errors import InputError
from root_gnn.similarity.cka import ESTIMATORS


def main() -> int:
    """Parses the command line; returns 2 where it is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", nargs="+", metavar="RUN", help="run folders, two or more")
    parser.add_argument(
        "--events", type=int, default=10_000, help="events of the first run's test split to compare on (10000)"
    )
    parser.add_argument("--out", type=Path, help="the folder to write to (cka)")
    parser.add_argument(
        "--data-dir", type=Path, help="where data paths begin; else ROOT_GNN_DATA, else the current folder"
    )
    parser.add_argument(
        "--estimator",
        choices=ESTIMATORS,
        default=ESTIMATORS[0],
        help="biased_gram is the n x n form, up to 5000 events",
    )
    parser.add_argument("--quiet", action="store_true", help="warnings and errors only")
    asked = parser.parse_args()
    set_verbosity(-1 if asked.quiet else 0)
    try:
        compare_layers(
            asked.runs, events=asked.events, out=asked.out, data_dir=asked.data_dir, estimator=asked.estimator
        )
    except InputError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
