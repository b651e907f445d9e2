"""The compiled operator: an optional shared library with a plain C interface, and the function that calls it."""
