"""What all streams share, whoever renders the batches: plan, counts, order, end, and memory."""
