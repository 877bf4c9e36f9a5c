"""The numbers of a stage, drawn for every image of a block from its own key."""

from __future__ import annotations

from numba import njit, uint64

from synth_engine.njit.random import SPREAD, mix, sample_key, word

UNIT = 2.0**-53


@njit(cache=True, nogil=True)
def unit(key, n):
    """Uniform in [0, 1) from word ``n`` of ``key``."""
    return float(word(key, n) >> uint64(11)) * UNIT


@njit(cache=True, nogil=True)
def sample_stage(seed, start, number, attempts, active, probability, low, high, on, params, keys):
    """Draw stage ``number``: its key, whether the image has it (word 0), and its columns (words 1, 2, …).

    ``attempts`` (B,) int64: how often the image was drawn before; ``active`` (B,) bool: images to draw for.
    """
    for i in range(on.size):
        if not active[i]:
            on[i] = False
            continue
        own = mix(sample_key(seed, uint64(start) + uint64(i)) ^ mix(uint64(number)))
        key = mix(own + uint64(attempts[i]) * SPREAD)
        keys[i] = key
        on[i] = unit(key, 0) < probability
        for p in range(low.size):
            params[i, p] = low[p] + (high[p] - low[p]) * unit(key, p + 1)
