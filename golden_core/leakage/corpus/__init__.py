"""Planted leaks: kinds and sites as data, and the functions that plant them in the testbed."""
