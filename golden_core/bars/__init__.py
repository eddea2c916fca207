"""Bars from reading to quality: import, cleaning with its ledger, resampling, cross-checks, the doctor."""
