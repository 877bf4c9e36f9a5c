"""Frozen values: a run's settings, and the targets of its metrics."""
