"""The texts of a block, drawn as the fast path draws them."""

from __future__ import annotations

from numba import uint64

from synth_engine.njit.jit import entry
from synth_engine.njit.random import TEXT, mix, sample_key
from synth_engine.njit.texts import sample_text


@entry
def sample_texts(seed, start, attempts, text_tries, active, text, labels, fonts, counts):
    """Labels (B, L) uint8 of the active images, the face of each (B,) int64, and how long each is (B,) int64."""
    for i in range(counts.size):
        if active[i]:
            key = mix(sample_key(seed, uint64(start) + uint64(i)) ^ TEXT)
            counts[i], fonts[i] = sample_text(key, attempts[i] // text_tries, text, labels[i])
