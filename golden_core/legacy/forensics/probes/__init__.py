"""Probes: functions that show a risk on data, and that its remedy removes it. The register names each."""
