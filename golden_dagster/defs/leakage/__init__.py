"""The leakage domain: the probes put to the proof on planted leaks and on honest pipelines."""
