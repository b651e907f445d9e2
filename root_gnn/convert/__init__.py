"""Configurations of other programs as data specs and recipes of ours."""
