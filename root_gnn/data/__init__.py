"""From files to batches: specs, sources, cache, splits, scaling, loaders."""
