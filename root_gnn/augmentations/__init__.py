"""Views of a batch, one module each, found by name."""
