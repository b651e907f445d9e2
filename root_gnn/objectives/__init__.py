"""What training minimises, one module each, found by name."""
