"""Angles, four-vectors and pair quantities: pure functions of arrays and tensors, in GeV and radians."""
