"""Paired benchmarks: how they are timed, what is written down, and the command that runs the cases in `benchmarks/`."""
