"""One file per file format; each yields the branches a spec names."""
