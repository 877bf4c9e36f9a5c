"""The numbers of a stage, sampled for every image of a block from its own key."""

from __future__ import annotations

from numba import njit, uint64

from synth_engine.njit.random import SPREAD, mix, sample_key, word

UNIT = 2.0**-53


@njit(cache=True, nogil=True)
def unit(key, n):
    """Uniform in [0, 1), float64 with 53 random bits, from word ``n`` of ``key``."""
    return float(word(key, n) >> uint64(11)) * UNIT


@njit(cache=True, nogil=True)
def sample_stage(seed, start, number, attempts, active, probability, low, high, on, params, keys):
    """Sample stage ``number`` of samples ``start`` …: keys, whether an image has it (word 0), its columns (words 1, …).

    ``seed`` uint64; ``attempts`` (B,) int64: candidates that an image had before; ``active`` (B,) bool: images to
    sample for, the others get ``on`` False; ``low`` and ``high`` (P,) float64: ends of the columns' ranges. Writes
    ``on`` (B,) bool, ``params`` (B, at least P) float64, uniform in those ranges, and ``keys`` (B,) uint64.
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
