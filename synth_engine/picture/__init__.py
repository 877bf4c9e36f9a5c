"""The picture path: recipes with a `parts.Picture`, painted in grey or colour, block by block.

A block of some images goes through one stage after another while it lies in the processor's cache. Each stage first
draws the numbers of every image (`draws`), then a deterministic kernel applies them.
"""
