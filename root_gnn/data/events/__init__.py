"""From shards to batches: tables of events, splits, weights and the loader."""
