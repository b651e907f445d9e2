"""Typed configuration: YAML files with line numbers in errors, and plug-ins by name."""
