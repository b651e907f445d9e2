"""The metrics that are reported of every run, a plug-in each; see `root_gnn.metrics.metric`."""
