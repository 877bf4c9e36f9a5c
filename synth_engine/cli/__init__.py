"""Command lines: how they end, the options they share, and `python -m synth_engine`."""
