"""Scores of trained networks for the entries of files, one by one."""
