"""The kinds of stages: which numbers are sampled for each, and which kernel applies them."""
