"""Studies: what `root-gnn study` plans, runs, answers and writes; one idea a file."""

from root_gnn.study.runner import study as study
from root_gnn.study.runner import write_results as write_results
