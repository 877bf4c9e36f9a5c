"""The real, unlabelled images: finding, decoding, binarising, measuring and fetching them.

`load_target` is the way in for training; `iter_grey` gives the images before anything is done to them. OpenCV, requests
and captcha are imported by the functions that need them.
"""

from __future__ import annotations

from synth_engine.target.binarize import binarize
from synth_engine.target.challenge import Entry, name_problem, parse_challenge
from synth_engine.target.demo import Demo, make_demo
from synth_engine.target.download import Downloaded, download
from synth_engine.target.images import Found, decode_grey, iter_grey
from synth_engine.target.likeness import Difference, differences, warning_of
from synth_engine.target.load import Report, Target, load_target
from synth_engine.target.masks import and_mask, ink_counts, mean_mask, remove_mask
from synth_engine.target.report import write_report
from synth_engine.target.unpack import Unpacked, unpack

__all__ = [
    "Demo",
    "Difference",
    "Downloaded",
    "Entry",
    "Found",
    "Report",
    "Target",
    "Unpacked",
    "and_mask",
    "binarize",
    "decode_grey",
    "differences",
    "download",
    "ink_counts",
    "iter_grey",
    "load_target",
    "make_demo",
    "mean_mask",
    "name_problem",
    "parse_challenge",
    "remove_mask",
    "unpack",
    "warning_of",
    "write_report",
]
