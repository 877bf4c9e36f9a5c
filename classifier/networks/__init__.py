"""Networks, and what each kind needs: targets and a loss to learn from, decoding to be read."""
