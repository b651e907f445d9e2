"""Graphs as memory-mapped shards on disk, written once and checked when they are opened."""
