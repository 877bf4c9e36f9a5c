"""The text of a sample from its random words: from an alphabet for each position, or from a list of words."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import uint64
from numpy.typing import NDArray

from synth_engine.njit.jit import inlined
from synth_engine.njit.random import below, word

PADDING = 255
LOW32 = np.uint64(0xFFFFFFFF)


class Text(NamedTuple):
    """What texts are sampled from."""

    length: tuple[int, int]  # (fewest, most) characters
    font_below: NDArray[np.uint64]  # (F,): cumulative shares of the faces, of 2³²
    pools: NDArray[np.uint8]  # (L, C): the letters of each position, as indices into the alphabet
    sizes: NDArray[np.uint64]  # (L,): how many letters of a row of `pools` there are
    words: NDArray[np.uint8]  # (W, L), padded with 255; where W > 0 a text is one of these, and `pools` is not used


@inlined
def sample_text(key, number, text, label):
    """Write text ``number`` of the stream ``key`` to ``label`` (L,) uint8, indices into the alphabet padded with 255.

    ``text`` is a `Text`; returns (length in characters, number of the face). A text takes L + 1 words. Of the first,
    the low half chooses the length, or the entry of the word list, and the high half the face. Word 1 + k chooses
    character k.
    """
    most = label.size
    first = uint64(number) * uint64(most + 1)
    shortest, longest = text.length
    length, face = longest, uint64(0)
    if text.words.shape[0] or shortest < longest or text.font_below.size > 1:
        bits = word(key, first)
        for f in range(uint64(text.font_below.size - 1)):
            face += uint64(bits >> uint64(32) >= text.font_below[f])
        if text.words.shape[0]:
            return _copy_word(text.words, below(bits & LOW32, text.words.shape[0]), label), face
        length = shortest + below(bits & LOW32, longest - shortest + 1)
    for k in range(uint64(length)):
        chosen = below(word(key, first + uint64(1) + k) >> uint64(32), text.sizes[k])
        label[k] = text.pools[k, uint64(chosen)]
    for k in range(uint64(length), uint64(most)):
        label[k] = PADDING
    return length, face


@inlined
def _copy_word(words, number, label):
    """Write row ``number`` of ``words`` (W, L) uint8 to ``label``; returns its length."""
    length = 0
    for k in range(label.size):
        label[k] = words[number, k]
        length += int(label[k] != PADDING)
    return length
