"""Ragged batches of graphs and what can be done to them without learning."""
