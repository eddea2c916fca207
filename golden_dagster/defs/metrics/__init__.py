"""From forecasts to the warehouse."""
