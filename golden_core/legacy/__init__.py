"""What the legacy experiments were: read from a tree or from frozen facts, never by running them."""
