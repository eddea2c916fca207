"""Definitions by domain; everything in here is collected by Dagster. Factories and helpers live in lib/."""
