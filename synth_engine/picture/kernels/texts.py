"""The texts of a block, sampled as the fast path samples them."""

from __future__ import annotations

from numba import uint64

from synth_engine.njit.jit import entry
from synth_engine.njit.random import TEXT, mix, sample_key
from synth_engine.njit.texts import sample_text


@entry
def sample_texts(seed, start, attempts, text_tries, active, text, labels, fonts, counts):
    """Write labels (B, L) uint8, faces (B,) int64 and lengths (B,) int64 of the ``active`` (B,) images.

    ``attempts`` (B,) int64: candidates before; the text changes after every ``text_tries``. ``text``: a `Text`.
    """
    for i in range(counts.size):
        if active[i]:
            key = mix(sample_key(seed, uint64(start) + uint64(i)) ^ TEXT)
            counts[i], fonts[i] = sample_text(key, attempts[i] // text_tries, text, labels[i])
