"""The registry of checks, as Dagster runs it."""
