"""What a file holds, and the draft of a spec for it."""
