"""The picture path: recipes with a `Picture`, painted in grey or colour, block by block.

A block of some images goes through one stage after another while it lies in the processor's cache. For each stage, the
numbers of every image are sampled first (`kernels.sampling`); then a deterministic kernel applies them.
"""
