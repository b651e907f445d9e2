"""From files to ragged batches: specs, reading, the columnar cache, splits, weights and loaders."""
