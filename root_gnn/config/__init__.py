"""Typed configuration: YAML with line numbers, plug-ins found by name."""
