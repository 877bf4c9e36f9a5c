"""SplitMix64 as a counter-based generator: word n of a key is one function call, whoever asks and in any order.

Source: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014 (finaliser: Stafford's
variant 13). A sample's key is a hash of (seed, index); its text, placement and noise read separate substreams.
"""

from __future__ import annotations

import numpy as np
from numba import uint64

from synth_engine.njit.jit import pasted

GOLDEN = np.uint64(0x9E3779B97F4A7C15)
SPREAD = np.uint64(0xD1342543DE82EF95)
TEXT = np.uint64(0x243F6A8885A308D3)
PLACE = np.uint64(0x13198A2E03707344)
NOISE = np.uint64(0xA4093822299F31D0)
# Of a picture stage's key, word 0 says whether the image has the stage; words 1, 2, … are the numbers of its ranges.
# From this one on, words are free for what else its kernel samples: mark 4 of clutter reads words 64 + 4·8 and up.
FREE_WORD = 64


@pasted
def mix(z):
    """Finaliser: a bijection of 64-bit words in which every input bit changes half of the output bits."""
    z = uint64(z)  # of a caller in Python it may be an int
    z = (z ^ (z >> uint64(30))) * uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> uint64(27))) * uint64(0x94D049BB133111EB)
    return z ^ (z >> uint64(31))


@pasted
def sample_key(seed, index):
    """Key (uint64) of sample ``index`` under ``seed`` (both uint64)."""
    return mix(mix(uint64(seed) + GOLDEN) + uint64(index) * SPREAD)


@pasted
def word(key, n):
    """Word ``n`` (uint64) of the stream ``key``: uniform on all 64-bit words."""
    return mix(uint64(key) + (uint64(n) + uint64(1)) * GOLDEN)


@pasted
def below(bits32, count):
    """An integer in [0, count) from 32 random bits (uint64 below 2³²).

    Source: Lemire, "Fast random integer generation in an interval", 2019, without rejection: its bias is under
    count / 2³².
    """
    return np.int64((bits32 * uint64(count)) >> uint64(32))
