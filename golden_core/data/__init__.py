"""From vendor files to windows: sources, clock, cleaning, features, windows. Nothing here knows a model."""
