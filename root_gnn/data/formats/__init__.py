"""What ROOT and HDF5 files and file names are like; the sources are built on these."""
