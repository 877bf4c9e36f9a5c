"""Batches from Ray actors, on this machine or a cluster. Importing it does not import Ray."""
