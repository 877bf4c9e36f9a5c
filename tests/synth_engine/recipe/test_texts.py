"""Alphabets by position, word lists and sizes of fonts: what recipes accept, and what is drawn from them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from synth_engine import Recipe, Synthesizer
from synth_engine.errors import RecipeError
from synth_engine.recipe import Font
from tests.conftest import ARIMO


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"alphabets": ("ac",)}, "`alphabets` has 1 entries for up to 2 characters"),
        ({"alphabets": ("ac", "")}, r"`alphabets\[1\]` is ''"),
        ({"alphabets": ("ac", "aa")}, r"`alphabets\[1\]` is 'aa'"),
        ({"alphabets": ("ac", "xb")}, "`alphabets` holds 'xb', but `alphabet` lacks 'b'"),
        ({"words": ("ax", "axe")}, "`words` holds 'axe' of 3 characters; `length` allows 2 to 2"),
        ({"words": ("ax", "ay")}, "`words` holds 'ay', but `alphabet` lacks 'y'"),
        ({"words": ("ax",), "alphabets": ("a", "x")}, "both given"),
        ({"fonts": (Font(file=ARIMO, size_px=(20, 16)),)}, r"`fonts\[0\].size_px` is \[20, 16\]; a range runs from"),
        ({"fonts": (Font(file=ARIMO, size_px=0),)}, r"`fonts\[0\].size_px` is 0; expected 1 to 1024"),
        ({"fonts": (Font(file=ARIMO, size_px=(4, 300)),)}, "makes 297 faces, one a size; expected at most 256"),
    ],
)
def test_wrong_texts_and_sizes_are_refused(tiny: Recipe, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        tiny.replace(**changes)


def test_positions_draw_from_their_own_alphabets(tiny: Recipe) -> None:
    texts = Synthesizer(tiny.replace(alphabets=("17", "xca")), seed=3).batch(0, 3000).texts()
    assert {text[0] for text in texts} == set("17")
    assert all(850 < sum(text[1] == letter for text in texts) < 1150 for letter in "xca")


def test_words_are_drawn_alike(tiny: Recipe) -> None:
    words = ("a", "17", "xc")
    batch = Synthesizer(tiny.replace(length=(1, 2), words=words), seed=3).batch(0, 3000)
    assert all(850 < batch.texts().count(word) < 1150 for word in words)
    assert not batch.boxes[batch.labels == 255].any()


def test_word_files_become_part_of_the_recipe(tiny: Recipe, tmp_path: Path) -> None:
    path = tmp_path / "recipe.toml"
    tiny.save(path)
    path.write_text('words_file = "words.txt"\n' + path.read_text(encoding="utf-8"), encoding="utf-8")
    (tmp_path / "words.txt").write_text("ax\n\n17\n", encoding="utf-8")
    recipe = Recipe.load(path)
    assert recipe.words == ("ax", "17")
    recipe.save(tmp_path / "copy.toml")
    assert Recipe.load(tmp_path / "copy.toml") == recipe


@pytest.mark.parametrize(("content", "message"), [(None, "cannot be read"), (b"", "is empty"), (b"\xff", "UTF-8")])
def test_unusable_word_files_are_named(tiny: Recipe, tmp_path: Path, content: bytes | None, message: str) -> None:
    path = tmp_path / "recipe.toml"
    tiny.save(path)
    path.write_text('words_file = "list.txt"\n' + path.read_text(encoding="utf-8"), encoding="utf-8")
    if content is not None:
        (tmp_path / "list.txt").write_bytes(content)
    with pytest.raises(RecipeError, match=rf"list.txt.*{message}"):
        Recipe.load(path)


def test_every_size_of_a_range_is_drawn(tiny: Recipe) -> None:
    ranged = tiny.replace(fonts=(Font(file=ARIMO, size_px=(12, 14), share=3.0),))
    assert [(face.size_px, face.share) for face in ranged.faces] == [(12, 1.0), (13, 1.0), (14, 1.0)]
    single = tiny.replace(fonts=tuple(Font(file=ARIMO, size_px=size) for size in (12, 13, 14)))
    assert np.array_equal(Synthesizer(ranged, 2).batch(0, 50).images, Synthesizer(single, 2).batch(0, 50).images)
