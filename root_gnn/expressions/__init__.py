"""The language of selections and derived columns, parsed and evaluated here and never run as Python."""
