"""From the entries of a file to records and graphs."""
