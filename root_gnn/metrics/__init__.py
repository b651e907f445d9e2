"""How well a classifier does: arrays and signed weights in, value and error out, `None` where it is not defined."""
