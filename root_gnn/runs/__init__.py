"""One training and its folder: recipe, task, training, evaluation, and packed runs."""
