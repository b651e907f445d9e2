"""Training on Lightning's Trainer: one thin module, optimiser groups, and the callbacks that close its gaps."""
