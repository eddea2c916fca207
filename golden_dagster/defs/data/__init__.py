"""From rates to bars and folds."""
