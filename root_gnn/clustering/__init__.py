"""Jets and what is inside them: arrays in, arrays out."""
