"""The small language of selections and derived columns: parsed and evaluated here, never run as Python."""
