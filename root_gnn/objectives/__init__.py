"""Objectives, one a file: an encoder and a batch to a loss."""
