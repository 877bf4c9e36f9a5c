"""A whole run: data, callbacks, and what it writes."""
