"""How alike two representations of the same events are."""
