"""The calibration of the tests that decide claims."""
