"""Measurements that anyone can repeat: two ways of doing one thing, timed in one run. Nothing here forecasts."""
