"""The plan as assets: one per milestone, one per exit gate."""
