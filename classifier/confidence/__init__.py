"""What a reader's certainty is worth, found without a label."""
