"""Augmentations, one a file: pure functions of a batch and its draws."""
