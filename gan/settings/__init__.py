"""Frozen values: what a run is told, and what a refiner must show."""
