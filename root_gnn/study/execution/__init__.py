"""How the trainings of a study are run: one after another, in processes, by Dask or by Slurm."""
