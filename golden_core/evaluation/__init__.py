"""Evaluation: from the table of forecasts to metrics, their spread over seeds and tests. Nothing is fitted here."""
