"""Real, unlabelled images: finding, decoding, binarising, measuring and fetching them.

`load_real_images` reads them all, `usable_images` one by one; `iter_grey` finds them and decides nothing. OpenCV,
requests and captcha are imported by the functions that need them.
"""

from __future__ import annotations

from synth_engine.real.binarize import binarize
from synth_engine.real.challenge import Entry, name_problem, parse_challenge
from synth_engine.real.demo import Demo, make_demo
from synth_engine.real.download import Downloaded, download
from synth_engine.real.images import Found, decode_grey, iter_grey, iter_listed
from synth_engine.real.intake import (
    GreyImage,
    IntakeReport,
    RealImages,
    UsableImage,
    load_real_images,
    readable_images,
    usable_images,
)
from synth_engine.real.mask import and_mask, ink_counts, mean_mask, remove_mask
from synth_engine.real.overview import Overview, write_overview
from synth_engine.real.selection import evenly
from synth_engine.real.statistics import InkDifference, ink_differences, mismatch_warning
from synth_engine.real.unpack import Unpacked, unpack

__all__ = [
    "Demo",
    "Downloaded",
    "Entry",
    "Found",
    "GreyImage",
    "InkDifference",
    "IntakeReport",
    "Overview",
    "RealImages",
    "Unpacked",
    "UsableImage",
    "and_mask",
    "binarize",
    "decode_grey",
    "download",
    "evenly",
    "ink_counts",
    "ink_differences",
    "iter_grey",
    "iter_listed",
    "load_real_images",
    "make_demo",
    "mean_mask",
    "mismatch_warning",
    "name_problem",
    "parse_challenge",
    "readable_images",
    "remove_mask",
    "unpack",
    "usable_images",
    "write_overview",
]
