"""Where work runs: this process, several processes, Dask workers or Slurm jobs."""
