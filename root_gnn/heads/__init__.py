"""Heads, one module each, found by name."""
