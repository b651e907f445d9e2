"""Heads, one a file: representations to logits."""
