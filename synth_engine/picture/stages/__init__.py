"""The kinds of stages: which numbers each draws, and which kernel applies them."""
