"""What a network learns, from which batches, with which settings."""
