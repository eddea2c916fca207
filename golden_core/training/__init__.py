"""Fitting networks by gradient descent: loop, optimisers, schedules, checkpoints. What is fitted belongs elsewhere."""
