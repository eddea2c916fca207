"""Probes that show whether anything stamped at or before a time depends on what came after it."""
