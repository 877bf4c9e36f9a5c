"""The fast path against its plain twin, and against what is known of the original generator."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numba import njit

from synth_engine import Recipe, Synthesizer
from synth_engine.errors import RejectionError
from synth_engine.fast.renderer import BinaryRenderer
from synth_engine.fonts.glyph_bank import pack_rows
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
