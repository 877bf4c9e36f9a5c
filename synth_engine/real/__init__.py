"""The real, unlabelled images: finding, decoding, binarising, measuring and fetching them.

`load_real_images` is the way in for training; `iter_grey` gives the images before anything is done to them. OpenCV,
requests and captcha are imported by the functions that need them.
"""

from __future__ import annotations

from synth_engine.real.binarize import binarize
from synth_engine.real.challenge import Entry, name_problem, parse_challenge
from synth_engine.real.demo import Demo, make_demo
from synth_engine.real.download import Downloaded, download
from synth_engine.real.images import Found, decode_grey, iter_grey
from synth_engine.real.intake import IntakeReport, RealImages, load_real_images
from synth_engine.real.mask import and_mask, ink_counts, mean_mask, remove_mask
from synth_engine.real.overview import write_report
from synth_engine.real.statistics import Difference, differences, warning_of
from synth_engine.real.unpack import Unpacked, unpack

__all__ = [
    "Demo",
    "Difference",
    "Downloaded",
    "Entry",
    "Found",
    "IntakeReport",
    "RealImages",
    "Unpacked",
    "and_mask",
    "binarize",
    "decode_grey",
    "differences",
    "download",
    "ink_counts",
    "iter_grey",
    "load_real_images",
    "make_demo",
    "mean_mask",
    "name_problem",
    "parse_challenge",
    "remove_mask",
    "unpack",
    "warning_of",
    "write_report",
]
