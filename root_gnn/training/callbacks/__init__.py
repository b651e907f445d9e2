"""What watches a training run: history, checkpoints, random state, interruption, throughput."""
