"""Scores against labels: the only room that opens a label file, for `evaluate` alone."""
