"""Collision events from Pythia 8, a parametrised detector and anti-kT jets, written as the standard event ntuple."""
