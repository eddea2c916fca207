"""One asset per forecaster."""
