"""Fonts: opened and proved to draw what labels say; characters as banks of turned glyphs."""
