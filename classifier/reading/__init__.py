"""Reading images with a saved network."""
