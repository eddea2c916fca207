"""What can be started by name."""
