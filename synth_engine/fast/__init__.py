"""The fast path: binary recipes whose characters stand turned in cells, rendered on rows of 64-bit words."""
