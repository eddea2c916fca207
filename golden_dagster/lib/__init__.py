"""Factories and helpers of the definitions; never collected by Dagster."""
