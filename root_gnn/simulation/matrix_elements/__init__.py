"""Tree-level matrix elements, and hard events drawn from them."""
