"""Alphabets by position, word lists and sizes of fonts: what samples get from them."""

from __future__ import annotations

import numpy as np

from synth_engine import Recipe, Synthesizer
from synth_engine.recipe import Font
from tests.conftest import ARIMO


def test_positions_draw_from_their_own_alphabets(tiny: Recipe) -> None:
    texts = Synthesizer(tiny.replace(alphabets=("17", "xca")), seed=3).batch(0, 3000).texts()
    assert {text[0] for text in texts} == set("17")
    assert all(850 < sum(text[1] == letter for text in texts) < 1150 for letter in "xca")


def test_words_are_drawn_alike(tiny: Recipe) -> None:
    words = ("a", "17", "xc")
    batch = Synthesizer(tiny.replace(length=(1, 2), words=words), seed=3).batch(0, 3000)
    assert all(850 < batch.texts().count(word) < 1150 for word in words)
    assert not batch.boxes[batch.labels == 255].any()


def test_every_size_of_a_range_is_drawn(tiny: Recipe) -> None:
    ranged = tiny.replace(fonts=(Font(file=ARIMO, size_px=(12, 14), share=3.0),))
    assert [(face.size_px, face.share) for face in ranged.faces] == [(12, 1.0), (13, 1.0), (14, 1.0)]
    single = tiny.replace(fonts=tuple(Font(file=ARIMO, size_px=size) for size in (12, 13, 14)))
    assert np.array_equal(Synthesizer(ranged, 2).batch(0, 50).images, Synthesizer(single, 2).batch(0, 50).images)
