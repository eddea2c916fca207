"""Features and windows: what a forecaster may know at its cutoffs."""
