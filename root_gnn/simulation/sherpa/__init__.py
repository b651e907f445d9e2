"""Hard events of processes that Pythia lacks, made by Sherpa or taken from shipped files."""
