"""Uncertainty: scores of forecast quantiles, and quantiles whose coverage is calibrated. Plain arrays, no tables."""
