"""Encoders, one a file; found by their file name, imported by nothing."""
