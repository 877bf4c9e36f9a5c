"""A whole run in its folder, and the pages that it leaves."""
