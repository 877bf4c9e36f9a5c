"""Adapting to unlabelled real images."""
