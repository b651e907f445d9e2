"""What looks odd in the data: duplicates, units, weights, and the report about them."""
