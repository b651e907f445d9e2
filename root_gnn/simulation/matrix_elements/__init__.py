"""Tree-level matrix elements of our own, and hard events drawn from them."""
