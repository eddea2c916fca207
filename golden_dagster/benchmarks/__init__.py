"""What the platform itself costs: campaigns in a home of their own, timed in one session."""
