"""The engine against its plain twin, and what it promises about bytes, arrays and rejections."""

from __future__ import annotations

import hashlib
import pickle
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numba import njit
from PIL import features

from synth_engine import Recipe, Synthesizer
from synth_engine.errors import ArrayError, RecipeError, RejectionError
from synth_engine.fast.renderer import BinaryRenderer
from synth_engine.fonts.glyph_bank import pack_rows
from synth_engine.real import binarize
from synth_engine.recipe import Binarize, Canvas, Filter, Font, Mask, Noise, Placement, Raster, Turn
from synth_engine.samples import Outputs
from tests.conftest import ARIMO
from tests.naive.fast import Naive, centre, well_formed

TEXTS: list[dict[str, Any]] = [
    {"length": 1},
    {"length": 3},
    {"length": (1, 4)},
    {"length": (1, 3), "alphabets": ("iw4g", "4", "gi")},
    {"length": (1, 4), "words": ("i", "wig", "4444", "gig")},
]


@st.composite
def recipes(draw: st.DrawFn) -> Recipe:
    """Any binary recipe: widths off the word boundary, texts of several lengths, either edge, mask and noise."""
    width, height = draw(st.integers(20, 150)), draw(st.integers(16, 60))
    turns = draw(
        st.lists(st.tuples(st.integers(-90, 60), st.integers(0, 30), st.integers(-30, 40)), min_size=1, max_size=2)
    )
    filters = st.builds(
        Filter,
        gap_px=st.integers(2, 9),
        slack_px=st.integers(1, 3),
        redraw=st.sampled_from(["all", "placement"]),
        text_tries=st.integers(1, 4),
        tries_max=st.just(40),
    )
    rows = draw(st.sampled_from([(), tuple("a5" * ((width + 7) // 8) for _ in range(height))]))
    return Recipe(
        name="any", alphabet="iw4g", **draw(st.sampled_from(TEXTS)),
        canvas=Canvas(width_px=width, height_px=height),
        fonts=(Font(file=ARIMO, size_px=(21, 22), share=2.0), Font(file=ARIMO, size_px=15, axes={"Weight": 700})),
        raster=Raster(
            tile_px=34, edge=draw(st.sampled_from(["dither", "threshold"])), angle_step_deg=7.0,
            tile_width=draw(st.sampled_from(["square", "advance"])), baseline_px=draw(st.sampled_from([None, 25])),
            resample=draw(st.sampled_from(["nearest", "bicubic"])),
        ),
        placement=Placement(
            x_from_px=draw(st.integers(-30, 5)), pitch_px=draw(st.floats(5, 45)), x_span_px=draw(st.floats(0, 30)),
            turns=tuple(Turn(angle_deg=(a, a + s), y_px=(y, y + s), share=1 + s) for a, s, y in turns),
        ),
        filter=draw(st.none() | filters),
        mask=Mask(lines=((0, 3, width, 9), (5, -4, 5, height + 3)), line_width_px=draw(st.integers(1, 2)), rows=rows),
        noise=Noise(flip_probability=draw(st.sampled_from([0.0, 0.03, 0.5, 1.0]))),
        binarize=Binarize(open_px=draw(st.sampled_from([0, 2, 3, 5]))),
    )  # fmt: skip


@settings(max_examples=40)
@given(recipe=recipes(), seed=st.integers(0, 2**64 - 1), start=st.integers(0, 2**40))
def test_every_sample_is_the_twins(recipe: Recipe, seed: int, start: int) -> None:
    twin, synth = Naive(recipe, seed), Synthesizer(recipe, seed)
    for index in range(start, start + 2):
        try:
            expected = twin.sample(index)
        except RuntimeError:
            with pytest.raises(RejectionError):
                synth.batch(index, 1)
            continue
        got = synth.batch(index, 1, centres=True, masks=True)
        assert np.array_equal(got.images[0], expected.image)
        assert got.texts() == [expected.text]
        assert [tuple(box) for box in got.boxes[0, : len(expected.text)]] == expected.boxes
        assert got.candidates == expected.candidates
        drawn, padded = np.split(got.masks[0], [len(expected.text)])
        masks = twin.masks(expected)
        assert np.array_equal(drawn, masks)
        assert not padded.any()
        assert [tuple(xy) for xy in got.centres[0, : len(masks)]] == [centre(mask) for mask in masks]
        assert not got.centres[0, len(expected.text) :].any()


def test_masks_and_centres_come_alone_and_change_no_image(hackmit: Recipe) -> None:
    synth = Synthesizer(hackmit, seed=6)
    plain, both = synth.batch(5, 30), synth.batch(5, 30, centres=True, masks=True)
    assert np.array_equal(plain.images, both.images)
    assert np.array_equal(synth.batch(5, 30, masks=True).masks, both.masks)
    assert np.array_equal(synth.batch(5, 30, centres=True, packed=True).centres, both.centres)


@settings(max_examples=80)
@given(
    width=st.integers(24, 128), height=st.sampled_from([9, 14, 40]), x_from=st.integers(-40, 40),
    y=st.integers(-20, 15),
    gap=st.integers(2, 12), weight=st.sampled_from([400, 700]), size=st.sampled_from([9, 24]), length=st.integers(1, 5),
)  # fmt: skip
def test_profiles_decide_as_the_drawing_does(
    width: int, height: int, x_from: int, y: int, gap: int, weight: int, size: int, length: int
) -> None:
    """Thin and bold strokes, touching, cut at every edge or off the canvas: the same candidates pass either way."""
    recipe = Recipe(
        name="any", alphabet="il1mwUo", length=length, canvas=Canvas(width_px=width, height_px=height),
        fonts=(Font(file=ARIMO, size_px=size, axes={"Weight": weight}),), raster=Raster(tile_px=40, angle_step_deg=9.0),
        placement=Placement(
            x_from_px=x_from, pitch_px=width / (length + 1), x_span_px=20,
            turns=(Turn(angle_deg=(-40, 40), y_px=(y, y + 9)),),
        ),
        filter=Filter(gap_px=gap, tries_max=200),
    )  # fmt: skip
    quick, plain = (BinaryRenderer(recipe, seed=1) for _ in range(2))
    plain._plan = plain._plan._replace(narrow=(np.uint64(0),) * 4)
    for start in range(12):
        assert quick.render(_outputs(recipe), start) == plain.render(_outputs(recipe), start)


def _outputs(recipe: Recipe) -> Outputs:
    images, labels = np.empty((1, *recipe.shape), np.uint8), np.empty((1, recipe.length_max), np.uint8)
    boxes = np.empty((1, recipe.length_max, 4), np.int16)
    return Outputs(images, labels, boxes, np.empty((0, 0, 2), np.float32), np.empty((0, 0, 0, 0), np.uint8), False)


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


def test_draws_are_pinned_whatever_the_fonts() -> None:
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


@pytest.mark.parametrize("gap_px", [2, 33, 64])
def test_widest_gaps_are_the_twins(tiny: Recipe, gap_px: int) -> None:
    recipe = tiny.replace(canvas=Canvas(width_px=150, height_px=24), filter=Filter(gap_px=gap_px, tries_max=30))
    for index in range(4):
        try:
            expected = Naive(recipe, 1).sample(index).candidates
        except RuntimeError:
            with pytest.raises(RejectionError):
                Synthesizer(recipe, 1).batch(index, 1)
        else:
            assert Synthesizer(recipe, 1).batch(index, 1).candidates == expected


def test_acceptance_is_the_originals(contest: object, hackmit: Recipe) -> None:
    """13.1% of 40,000 candidates pass with the original's font: within four standard errors of both samples."""
    font = Font(file=str(contest / "arial-extra.otf"), size_px=26)  # type: ignore[operator]
    synth = Synthesizer(hackmit.replace(fonts=(font,)), seed=0)
    batch = synth.batch(0, 5240)
    rate, error = len(batch) / batch.candidates, (0.131 * 0.869 / 40_000) ** 0.5
    assert rate == pytest.approx(0.131, abs=4 * error * 2**0.5)


def test_acceptance_bias_by_character_is_the_originals(contest: object, hackmit: Recipe) -> None:
    """Candidates with an m, w or t pass 4.9, 7.0 and 18.4% of the time: Bayes' rule on the accepted labels."""
    font = Font(file=str(contest / "arial-extra.otf"), size_px=26)  # type: ignore[operator]
    batch = Synthesizer(hackmit.replace(fonts=(font,)), seed=0).batch(0, 40_000)
    drawn_with_one = 1 - (35 / 36) ** 4
    for character, published in (("m", 0.049), ("w", 0.070), ("t", 0.184)):
        holding = (batch.labels == hackmit.alphabet.index(character)).any(axis=1).sum()
        rate = holding / (batch.candidates * drawn_with_one)
        error = (published * (1 - published) / (40_000 * drawn_with_one)) ** 0.5
        assert rate == pytest.approx(published, abs=4 * error + 0.0005), character


def test_synthetic_images_are_opened_as_real_ones_are(tiny: Recipe) -> None:
    rule = Binarize(open_px=3, ink="light", threshold=0)
    noisy = tiny.replace(noise=Noise(flip_probability=0.1))
    plain = Synthesizer(noisy, seed=6).batch(0, 50).images
    opened = Synthesizer(noisy.replace(binarize=rule), seed=6).batch(0, 50).images
    assert np.array_equal(opened, binarize(plain * np.uint8(255), rule))


def test_filter_agrees_with_the_twin_on_noise() -> None:
    """Random columns, all inked at times: the paths that real candidates rarely take."""
    from synth_engine.fast.kernels.segmentation_filter import count_runs, inked_columns

    @njit(_nrt=False)
    def runs_of(canvas, height, width, rule, inked, counts):  # type: ignore[no-untyped-def]
        inked_columns(canvas, 1, height, width, rule[0], inked, counts)
        return count_runs(inked, width, rule[1] - 1)

    generator = np.random.default_rng(0)
    for width, density in [(100, 0.05), (64, 0.3), (130, 0.02), (65, 0.9), (20, 0.15)] * 40:
        pixels = generator.random((9, width)) < density * generator.random(width)
        words = (width + 63) // 64
        canvas = np.zeros((words + 2, 16), np.uint64)
        canvas[1 : 1 + words, :9] = pack_rows(pixels, words)
        rule = Filter(gap_px=int(generator.integers(2, 9)), slack_px=int(generator.integers(1, 4)))
        inked, counts = np.zeros(words + 1, np.uint64), np.zeros(width, np.int64)
        runs = runs_of(canvas, 9, width, (rule.slack_px, rule.gap_px), inked, counts)
        assert well_formed(pixels, runs, rule)


@pytest.mark.parametrize("name", ["hackmit", "captcha-demo"])
def test_a_character_drawn_as_another_has_its_glyph_and_its_own_label(name: str) -> None:
    recipe = Recipe.named(name).replace(alphabet="a0", drawn_as={"0": "O"}, words=(), alphabets=())
    lent, own = Synthesizer(recipe, 3), Synthesizer(recipe.replace(alphabet="aO", drawn_as={}), 3)
    assert np.array_equal(lent.batch(0, 64).images, own.batch(0, 64).images)
    assert lent.batch(0, 64).texts() == [text.replace("O", "0") for text in own.batch(0, 64).texts()]
