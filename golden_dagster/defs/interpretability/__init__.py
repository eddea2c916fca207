"""What networks look at, and whether the methods that say so can be believed."""
