"""Fetching prices over HTTPS: what any vendor needs, and one file per vendor. Nothing here knows a study."""
