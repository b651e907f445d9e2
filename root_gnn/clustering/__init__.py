"""Jets from particles, through FastJet: arrays in, arrays out."""
