"""The data spec, which gives the branches of a file their meaning: collections, labels and values."""
