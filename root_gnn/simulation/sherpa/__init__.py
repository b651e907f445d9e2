"""Hard events of processes that Pythia lacks: made by Sherpa, or taken from files that Sherpa made."""
