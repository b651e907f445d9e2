"""File formats, one per module: each opens files and yields the branches that a spec names."""
