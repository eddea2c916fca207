"""Which rows train, validate and test, and what is fitted on the training rows alone. No model is known here."""
