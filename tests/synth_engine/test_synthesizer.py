"""What a Synthesizer promises: fixed bytes, whatever the batch or thread, in the arrays that are given."""

from __future__ import annotations

import hashlib
import pickle
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import features

from synth_engine import Recipe, Synthesizer
from synth_engine.errors import ArrayError, RecipeError, RejectionError
from synth_engine.real import binarize
from synth_engine.recipe import Binarize, Canvas, Filter, Font, Noise
from tests.conftest import ARIMO


def test_masks_and_centres_come_alone_and_change_no_image(hackmit: Recipe) -> None:
    synth = Synthesizer(hackmit, seed=6)
    plain, both = synth.batch(5, 30), synth.batch(5, 30, centres=True, masks=True)
    assert np.array_equal(plain.images, both.images)
    assert np.array_equal(synth.batch(5, 30, masks=True).masks, both.masks)
    assert np.array_equal(synth.batch(5, 30, centres=True, packed=True).centres, both.centres)


@pytest.mark.parametrize(
    ("name", "digest"),
    [
        ("hackmit", "f039fe8c002eeafb"),
        ("hackmit-target", "d12172fd95d44014"),
        ("captcha-demo", "adce0c96b4f33c08"),
        ("captcha-draft", "2568220bceb000c3"),
    ],
)
def test_bytes_are_pinned(name: str, digest: str) -> None:
    """With the pinned Pillow and fonts; another FreeType draws other edges, so there the test says that it cannot."""
    if (features.version("pil"), features.version("freetype2")) != ("13.0.0", "2.14.3"):
        pytest.skip("the digests are those of Pillow 13.0.0 with FreeType 2.14.3, as pinned in constraints.txt")
    batch = Synthesizer(Recipe.named(name), seed=7).batch(1000, 64)
    content = batch.images.tobytes() + batch.labels.tobytes() + batch.boxes.tobytes()
    assert hashlib.sha256(content).hexdigest()[:16] == digest


def test_texts_are_pinned_whatever_the_fonts() -> None:
    """Texts depend on the generator alone: this digest holds for every version of everything."""
    recipe = Recipe.named("hackmit").replace(filter=None)
    texts = Synthesizer(recipe, seed=7).batch(1000, 64).texts()
    assert hashlib.sha256("".join(texts).encode()).hexdigest()[:16] == "27ecd6038d2c95b0"


def test_recipes_built_in_python_are_checked_before_use(tiny: Recipe) -> None:
    with pytest.raises(RecipeError, match=r"`int` >= 8 - at `\$.canvas.width_px`"):
        Synthesizer(msgspec.structs.replace(tiny, canvas=Canvas(width_px=-3, height_px=24)))
    with pytest.raises(RecipeError, match="share"):
        Synthesizer(msgspec.structs.replace(tiny, fonts=(Font(file=ARIMO, size_px=16, share=-2.0),)))


@given(cuts=st.lists(st.integers(1, 99), max_size=4, unique=True))
def test_sample_does_not_depend_on_the_batch(hackmit: Recipe, cuts: list[int]) -> None:
    synth, edges = Synthesizer(hackmit, seed=3), [0, *sorted(cuts), 100]
    parts = [synth.batch(50 + a, b - a) for a, b in pairwise(edges)]
    whole = synth.batch(50, 100)
    assert np.array_equal(np.concatenate([part.images for part in parts]), whole.images)
    assert np.array_equal(np.concatenate([part.boxes for part in parts]), whole.boxes)
    assert sum(part.candidates for part in parts) == whole.candidates


def test_threads_share_a_synthesizer(hackmit: Recipe) -> None:
    synth = Synthesizer(hackmit, seed=1)
    with ThreadPoolExecutor(4) as pool:
        parts = list(pool.map(lambda start: synth.batch(start, 64).images, range(0, 512, 64)))
    assert np.array_equal(np.concatenate(parts), synth.batch(0, 512).images)


def test_pickled_synthesizer_draws_the_same(tiny: Recipe) -> None:
    synth = Synthesizer(tiny, seed=9)
    assert np.array_equal(pickle.loads(pickle.dumps(synth)).batch(5, 9).images, synth.batch(5, 9).images)


def test_packed_rows_are_numpys(hackmit: Recipe) -> None:
    recipe = hackmit.replace(noise=Noise(flip_probability=0.2))
    synth = Synthesizer(recipe, seed=2)
    packed = synth.batch(0, 20, packed=True).images
    assert np.array_equal(packed, np.packbits(synth.batch(0, 20).images, axis=2))


def test_fill_writes_into_slices_only(hackmit: Recipe) -> None:
    images, labels = np.full((12, 50, 100), 9, np.uint8), np.full((12, 4), 9, np.uint8)
    synth = Synthesizer(hackmit, seed=4)
    synth.fill(images[2:10], labels[2:10], start=30)
    assert np.array_equal(images[2:10], synth.batch(30, 8).images)
    assert (images[[0, 1, 10, 11]] == 9).all()
    assert (labels[[0, 1, 10, 11]] == 9).all()


def test_seeds_and_neighbours_differ(hackmit: Recipe) -> None:
    texts = {tuple(Synthesizer(hackmit, seed).batch(start, 8).texts()) for seed in (0, 1, 2) for start in (0, 8)}
    assert len(texts) == 6


@pytest.mark.parametrize(
    ("images", "labels", "message"),
    [
        (np.zeros((2, 50, 99), np.uint8), np.zeros((2, 4), np.uint8), r"`images`: expected uint8 \(2, 50, 100\)"),
        (np.zeros((2, 50, 100), np.float32), np.zeros((2, 4), np.uint8), "received float32"),
        (np.zeros((2, 50, 100), np.uint8), np.zeros((2, 5), np.uint8), "`labels`"),
        (np.zeros((4, 50, 100), np.uint8)[::2], np.zeros((2, 4), np.uint8), "C-contiguous"),
    ],
)
def test_wrong_arrays_are_refused(hackmit: Recipe, images: np.ndarray, labels: np.ndarray, message: str) -> None:
    with pytest.raises(ArrayError, match=message):
        Synthesizer(hackmit).fill(images, labels, 0)


def test_seed_and_start_out_of_range_are_refused(tiny: Recipe) -> None:
    with pytest.raises(ArrayError, match="`seed` is -1"):
        Synthesizer(tiny, seed=-1)
    with pytest.raises(ArrayError, match="`start` is -5"):
        Synthesizer(tiny).batch(-5, 1)


def test_impossible_filter_fails_with_its_rate(tiny: Recipe) -> None:
    recipe = tiny.replace(filter=Filter(gap_px=60, tries_max=500))
    with pytest.raises(RejectionError, match=r"rejected all 500 candidates for sample 3 \(100.0%\)"):
        Synthesizer(recipe).batch(3, 1)


def test_redrawing_the_placement_keeps_labels_uniform(hackmit: Recipe) -> None:
    kept = hackmit.replace(filter=Filter(redraw="placement"))
    counts = np.bincount(Synthesizer(kept, seed=1).batch(0, 4000).labels.ravel(), minlength=36)
    expected = 16_000 / 36
    assert ((counts - expected) ** 2 / expected).sum() < 75  # χ² of 35 degrees of freedom: exceeded once in 10,000
    biased = np.bincount(Synthesizer(hackmit, seed=1).batch(0, 4000).labels.ravel(), minlength=36)
    assert biased[hackmit.alphabet.index("m")] < 0.6 * expected


def test_noise_flips_the_asked_share(hackmit: Recipe) -> None:
    quiet = Synthesizer(hackmit, seed=5).batch(0, 200).images
    noisy = Synthesizer(hackmit.replace(noise=Noise(flip_probability=0.07)), seed=5).batch(0, 200).images
    assert (quiet != noisy).mean() == pytest.approx(0.07, abs=4 * (0.07 * 0.93 / quiet.size) ** 0.5)


def test_certain_noise_inverts_every_pixel(tiny: Recipe) -> None:
    plain = Synthesizer(tiny, seed=5).batch(0, 5).images
    inverted = Synthesizer(tiny.replace(noise=Noise(flip_probability=1.0)), seed=5).batch(0, 5).images
    assert np.array_equal(inverted, 1 - plain)


def test_synthetic_images_are_opened_as_real_ones_are(tiny: Recipe) -> None:
    rule = Binarize(open_px=3, ink="light", threshold=0)
    noisy = tiny.replace(noise=Noise(flip_probability=0.1))
    plain = Synthesizer(noisy, seed=6).batch(0, 50).images
    opened = Synthesizer(noisy.replace(binarize=rule), seed=6).batch(0, 50).images
    assert np.array_equal(opened, binarize(plain * np.uint8(255), rule))


@pytest.mark.parametrize("name", ["hackmit", "captcha-demo"])
def test_a_character_drawn_as_another_has_its_glyph_and_its_own_label(name: str) -> None:
    recipe = Recipe.named(name).replace(alphabet="a0", drawn_as={"0": "O"}, words=(), alphabets=())
    lent, own = Synthesizer(recipe, 3), Synthesizer(recipe.replace(alphabet="aO", drawn_as={}), 3)
    assert np.array_equal(lent.batch(0, 64).images, own.batch(0, 64).images)
    assert lent.batch(0, 64).texts() == [text.replace("O", "0") for text in own.batch(0, 64).texts()]
