"""The command line `root-gnn`: one file for each group of commands."""

from root_gnn.cli.app import main as main
