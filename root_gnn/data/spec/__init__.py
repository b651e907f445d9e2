"""What the branches of a file mean: the data spec, its collections, labels and values."""
