"""Fonts: opened, checked to draw what the labels say, and rasterised as banks of turned glyphs."""
