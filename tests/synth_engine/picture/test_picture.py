"""The picture path's core against its plain twin, and what it promises about labels, limits and bytes."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, features

from synth_engine import Recipe, Synthesizer
from synth_engine.errors import FontError, RecipeError, RejectionError
from synth_engine.picture.placing import Placing
from synth_engine.picture.stages.workspace import BLOCK_IMAGES, Workspace
from synth_engine.real import binarize, load_real_images
from synth_engine.recipe import (
    Binarize,
    Canvas,
    Character,
    Curve,
    Dots,
    Filter,
    Flat,
    Flow,
    Font,
    Free,
    Ink,
    Limits,
    Mask,
    Noise,
    Picture,
    Pictures,
    Placement,
    Raster,
    Rotate,
    Turn,
)
from synth_engine.renderer_inputs import mask_pixels
from tests.conftest import ARIMO
from tests.naive.fast import well_formed
from tests.naive.picture import NaivePicture, box_of, on_canvas

FLOW = Flow(y_px=(28, 36), gap_px=(-2, 3), jitter_px=(-3, 3), x_px=(-6, 6))
SPACED = Flow(y_px=30, x_px=(3, 9), align="left", gap_px=(-2, 3), space_px=(4, 40), space_share=0.6, fit_px=(50, 85))
BENT = Character(angle_deg=(-30, 30), scale=(0.7, 1.4), aspect=(0.8, 1.2), shear=(-0.3, 0.3), perspective=0.3)

STRETCHED = msgspec.structs.replace(BENT, stretch="advance")
EVEN = msgspec.structs.replace(BENT, stretch="even")
TURNED_FIRST = msgspec.structs.replace(EVEN, turn_first=True)
NEAREST = msgspec.structs.replace(BENT, interpolation="nearest")

FONT = (Font(file=ARIMO, size_px=24),)


def recipe_of(**changes: object) -> Recipe:
    picture = Picture(layout=FLOW, character=BENT, ink=Ink(level=(0, 90)), ground=Flat(level=(140, 255)))
    recipe = Recipe(
        name="any", alphabet="aW4gj", length=(1, 4), canvas=Canvas(width_px=90, height_px=44),
        fonts=(Font(file=ARIMO, size_px=24, share=2.0), Font(file=ARIMO, size_px=15, axes={"Weight": 700})),
        picture=picture,
    )  # fmt: skip
    top = {name: value for name, value in changes.items() if name in Recipe.__struct_fields__}
    inside = {name: value for name, value in changes.items() if name not in top}
    return recipe.replace(picture=msgspec.structs.replace(picture, **inside), **top)


CELLS = Placement(
    pitch_px=20, x_span_px=9.0, x_from_px=-4,
    turns=(Turn(angle_deg=(-30, 0), y_px=(-9, 12)), Turn(angle_deg=(0, 60), y_px=(0, 5), share=3)),
)  # fmt: skip


@st.composite
def recipes(draw: st.DrawFn) -> Recipe:
    layout = draw(
        st.sampled_from(
            [
                FLOW,
                SPACED,
                msgspec.structs.replace(SPACED, align="centre"),
                Flow(y_px=30, align="left", kerning=features.check("raqm")),
                Free(x_px=(0, 90), y_px=(5, 40)),
                None,
            ]
        )
    )
    raster = Raster(
        tile_width=draw(st.sampled_from(["square", "advance"])), baseline_px=draw(st.sampled_from([None, 30]))
    )
    return recipe_of(
        layout=layout, placement=None if layout else CELLS, raster=raster,
        character=draw(
            st.sampled_from([BENT, Character(), Character(angle_deg=(-360, 360)), STRETCHED, EVEN, TURNED_FIRST])
        ),
        mask=draw(st.sampled_from([Mask(), Mask(lines=((0, 3, 80, 40),))])),
        drawn_as=draw(st.sampled_from([{}, {"a": "Q"}])),
    )  # fmt: skip


@settings(max_examples=40, deadline=None)
@given(recipe=recipes(), seed=st.integers(0, 2**64 - 1), index=st.integers(0, 2**40))
def test_every_sample_is_the_twins(recipe: Recipe, seed: int, index: int) -> None:
    """Within a grey level or two: the kernel interpolates in single precision."""
    twin, batch = NaivePicture(recipe, seed), Synthesizer(recipe, seed).batch(index, 1)
    ground, ink = batch.images[0].max(), twin.cover(index)
    assert batch.texts() == ["".join(recipe.alphabet[glyph.letter] for glyph in twin.glyphs(index))]
    solid = ink >= 250
    level = float(batch.images[0][solid].min()) if solid.any() else 0.0
    if solid.any():
        expected = ground + (level - ground) * ink / 255
        assert np.abs(batch.images[0] - expected).max() <= 3
    assert np.abs(batch.boxes[0, : len(batch.texts()[0])] - np.array(twin.boxes(index))).max() <= 1


@given(seed=st.integers(0, 2**64 - 1))
@settings(max_examples=20, deadline=None)
def test_the_nearest_pixels_are_the_twins(seed: int) -> None:
    """All but a few: where two are as near, single precision takes the other."""
    recipe = recipe_of(character=NEAREST, length=4, ink=Ink(level=0), ground=Flat(level=255))
    batch, twin = Synthesizer(recipe, seed).batch(0, 4), NaivePicture(recipe, seed)
    twins = np.stack([255 - twin.cover(index) for index in range(4)])
    assert (np.abs(batch.images - twins) > 1).mean() < 0.002
    bilinear = Synthesizer(recipe_of(character=BENT, length=4, ink=Ink(level=0), ground=Flat(level=255)), seed)
    assert (np.abs(bilinear.batch(0, 4).images - twins) > 1).mean() > 0.05


@pytest.mark.parametrize("more", [{}, {"stretch": "even", "turn_first": True}, {"interpolation": "nearest"}])
@pytest.mark.parametrize("size_px", [8, 150])
def test_no_pixel_is_read_from_beyond_a_characters_tile(size_px: int, more: dict[str, object]) -> None:
    """A blank tile among full ones stays blank, however it is slanted and seen."""
    steep = Character(angle_deg=(-180, 180), scale=(0.2, 3), aspect=(0.1, 2), shear=(-2, 2), perspective=0.45)
    steep = msgspec.structs.replace(steep, **more)
    recipe = recipe_of(character=steep, layout=Free(x_px=(0, 90), y_px=(0, 44)), length=4)
    recipe = recipe.replace(fonts=(Font(file=ARIMO, size_px=size_px),))
    assert recipe.picture is not None
    placing = Placing(recipe, recipe.picture, np.uint64(1))
    bank = placing._bank
    blank = np.full(bank.quads.size + 2000, 0xFFFFFFFF, np.uint32)
    first, high, wide = bank.place[2]
    blank[1000 + first : 1000 + first + (high + 1) * (wide + 1)] = 0
    placing._bank = bank._replace(quads=blank, place=np.tile([1000 + first, high, wide], (len(bank.place), 1)))
    work = Workspace.empty(recipe.shape, 4, placing.side, 1)
    for start in range(0, 40 * BLOCK_IMAGES, BLOCK_IMAGES):
        placing.place(work, np.zeros((BLOCK_IMAGES, 4), np.uint8), start)
        assert not work.ink.any()


def test_stretched_characters_are_equally_tall_but_for_what_hangs_below() -> None:
    layout, plain = Flow(y_px=35), Character(stretch="advance")
    batch = Synthesizer(recipe_of(layout=layout, character=plain, alphabet="aW4g", length=4), 0).batch(0, 32)
    heights = np.diff(batch.boxes[..., 1::2])[..., 0]
    for image, text in zip(heights, batch.texts(), strict=True):
        upright = {h for h, character in zip(image, text, strict=True) if character != "g"}
        hanging = {h for h, character in zip(image, text, strict=True) if character == "g"}
        assert len(upright) < 2, text
        assert not upright or not hanging or min(hanging) > max(upright), text


def test_even_cells_are_equally_wide_and_spaces_stand_before_some() -> None:
    layout = Flow(y_px=35, x_px=3, align="left", space_px=9, space_share=0.5)
    recipe = recipe_of(layout=layout, character=Character(stretch="even"), alphabet="iW4", length=3, fonts=FONT)
    boxes = Synthesizer(recipe, 0).batch(0, 200).boxes.astype(int)
    widths, steps = boxes[..., 2] - boxes[..., 0], np.diff(boxes[..., 0])
    assert np.ptp(widths) <= 4  # the soft edges of a thin i
    near, apart = steps[steps < widths.max() + 4], steps[steps >= widths.max() + 4]
    assert abs(apart.mean() - near.mean() - 9) < 0.5
    assert 0.4 < len(apart) / steps.size < 0.6
    assert 0.4 < (boxes[:, 0, 0] > 8).mean() < 0.6


@pytest.mark.parametrize("angle_deg", [20, -60, 135])
def test_the_box_of_what_is_turned_first_fills_its_cell(angle_deg: float) -> None:
    def sizes(letters: str = "NH", **shape: object) -> np.ndarray:
        recipe = recipe_of(layout=Free(x_px=45, y_px=22), alphabet=letters, length=1, fonts=FONT,
                           character=Character(stretch="even", **shape))  # fmt: skip
        return np.diff(Synthesizer(recipe, 0).batch(0, 16).boxes[:, 0].astype(int).reshape(-1, 2, 2), axis=1)[:, 0]

    assert np.abs(sizes(turn_first=True, angle_deg=angle_deg) - sizes()).max() <= 2
    assert np.abs(sizes(angle_deg=angle_deg) - sizes()).max() > 2
    assert (sizes("O0", turn_first=True, angle_deg=angle_deg) < sizes("O0")).all()  # round ink reaches no corner


def test_a_glyph_that_the_font_lacks_is_refused_where_no_file_was_loaded() -> None:
    recipe = recipe_of(drawn_as={"a": "一"})
    with pytest.raises(FontError, match="lacks '一'; choose another font, alphabet or `drawn_as`"):
        Synthesizer(recipe, 0)


def test_turning_first_without_stretching_is_refused() -> None:
    with pytest.raises(RecipeError, match="turn_first"):
        recipe_of(character=Character(turn_first=True))


@pytest.mark.parametrize("fit_px", [40, 80])
def test_a_longer_line_is_squeezed_to_its_length(fit_px: int) -> None:
    layout = Flow(y_px=35, x_px=6, align="left", gap_px=11, fit_px=fit_px)
    recipe = recipe_of(layout=layout, character=Character(stretch="even"), alphabet="W4", length=4, fonts=FONT)
    boxes = Synthesizer(recipe, 0).batch(0, 20).boxes.astype(int)
    assert np.abs(boxes[:, 0, 0] - 6).max() <= 1
    assert np.abs(boxes[:, 3, 2] - 6 - fit_px).max() <= 2


def test_masks_boxes_and_centres_tell_the_same() -> None:
    batch = Synthesizer(recipe_of(), 3).batch(0, 40, masks=True, centres=True)
    assert batch.masks is not None
    assert batch.centres is not None
    for masks, boxes, centres in zip(batch.masks, batch.boxes, batch.centres, strict=True):
        assert [box_of(mask) for mask in masks] == [tuple(box) for box in boxes]
        means = [np.argwhere(mask)[:, ::-1].mean(axis=0) + 0.5 if mask.any() else (0, 0) for mask in masks]
        assert np.allclose(means, centres, atol=1e-3)


def test_masks_are_where_the_twin_has_ink() -> None:
    recipe = recipe_of()
    twin, batch = NaivePicture(recipe, 5), Synthesizer(recipe, 5).batch(0, 5, masks=True)
    assert batch.masks is not None
    for index in range(5):
        for glyph, mask in zip(twin.glyphs(index), batch.masks[index], strict=False):
            assert (mask != (on_canvas(twin.coverage(glyph)) >= 128)).sum() <= 2  # half coverage to within a rounding


def test_sample_does_not_depend_on_the_batch() -> None:
    synth = Synthesizer(recipe_of(limits=Limits(clipped_share=0.1, covered_share=0.2)), 3)
    whole = synth.batch(7, 60, masks=True)
    for a, b in [(0, 1), (1, 33), (33, 60)]:
        part = synth.batch(7 + a, b - a, masks=True)
        for name in ("images", "labels", "boxes", "masks"):
            assert np.array_equal(getattr(part, name), getattr(whole, name)[a:b])


def test_kerning_is_the_fonts() -> None:
    flow = Flow(y_px=34, kerning=True)
    kerned = recipe_of(alphabet="AV", length=2, layout=flow, character=Character(), words=("AV",))
    if not features.check("raqm"):
        with pytest.raises(FontError, match="cannot read kerning"):
            Synthesizer(kerned, 0)
        return
    loose = kerned.replace(picture=msgspec.structs.replace(kerned.picture, layout=Flow(y_px=34)))
    near, far = (Synthesizer(recipe, 0).batch(0, 8).boxes for recipe in (kerned, loose))
    assert ((far[:, 1, 0] - far[:, 0, 0]) - (near[:, 1, 0] - near[:, 0, 0]) >= 1).all()


@pytest.mark.parametrize("limits", [Limits(clipped_share=0.05), Limits(covered_share=0.1)])
def test_limits_take_the_first_candidate_that_keeps_them(limits: Limits) -> None:
    """By the twin: the candidate taken is within them, the one before it is not; each is counted."""
    recipe = recipe_of(limits=limits, layout=Free(x_px=(0, 90), y_px=(0, 44)), length=4)
    twin, synth = NaivePicture(recipe, 1), Synthesizer(recipe, 1)
    attempts = [synth.batch(index, 1).candidates - 1 for index in range(20)]
    assert sum(attempts) > 10
    for index, attempt in enumerate(attempts):
        assert keeps(twin, limits, index, attempt, slack=0.02)
        assert attempt == 0 or not keeps(twin, limits, index, attempt - 1, slack=-0.02)


def keeps(twin: NaivePicture, limits: Limits, index: int, attempt: int, slack: float) -> bool:
    """``slack``: as many of a character's pixels may lie on the other side of half coverage in the kernel."""
    glyphs = twin.glyphs(index, attempt, attempt // limits.text_tries)
    wide = np.stack([twin.coverage(glyph) >= 128 for glyph in glyphs])
    seen = np.stack([on_canvas(ink) for ink in wide])
    total = wide.sum(axis=(1, 2))
    clipped = 1 - seen.sum(axis=(1, 2)) / total
    covered = (seen & (seen.sum(axis=0) > 1)).sum(axis=(1, 2)) / total
    return bool((clipped <= limits.clipped_share + slack).all() and (covered <= limits.covered_share + slack).all())


def test_placement_alone_is_sampled_again_before_the_text() -> None:
    recipe = recipe_of(limits=Limits(clipped_share=0.05, text_tries=1000), layout=Free(x_px=(0, 90), y_px=(0, 44)))
    free = recipe_of(layout=recipe.picture.layout)
    assert Synthesizer(recipe, 2).batch(0, 40).texts() == Synthesizer(free, 2).batch(0, 40).texts()


def test_limits_that_nothing_keeps_are_an_error() -> None:
    recipe = recipe_of(layout=Flow(y_px=-300), limits=Limits(clipped_share=0.1, tries_max=7))
    with pytest.raises(RejectionError, match=r"limits rejected all 7 candidates for sample 5 .* `picture.limits`"):
        Synthesizer(recipe, 0).batch(5, 3)
    with pytest.raises(RejectionError, match=r"the filter and limits rejected all 9 .* `filter` or `picture.limits`"):
        Synthesizer(recipe.replace(filter=Filter(tries_max=9)), 0).batch(5, 3)


def test_the_filter_serves_pictures_too() -> None:
    rule = Filter(gap_px=4, slack_px=2, tries_max=5000)
    recipe = recipe_of(filter=rule, length=3, character=Character())
    batch = Synthesizer(recipe, 0).batch(0, 30, masks=True)
    assert batch.masks is not None
    assert all(well_formed(masks.any(axis=0), 3, rule) for masks in batch.masks)
    assert batch.candidates > 30


def test_rgb_has_a_colour_for_each_character() -> None:
    picture = {"color": "rgb", "ink": Ink(rgb=((0, 90), (0, 90), (0, 90)), per="character"), "length": 4}
    batch = Synthesizer(recipe_of(**picture, character=Character()), 1).batch(0, 8, masks=True)
    assert batch.images.shape == (8, 44, 90, 3)
    assert batch.masks is not None
    inks = {
        tuple(image[mask > 0].min(axis=0))
        for image, masks in zip(batch.images, batch.masks, strict=True)
        for mask in masks
    }
    assert len(inks) > 24


def test_a_level_may_be_one_number_and_goes_before_rgb_in_grey() -> None:
    red = (200.0, 0.0, 0.0)
    parts = {"ink": Ink(level=30, rgb=red), "ground": Flat(level=240, rgb=red), "length": 4, "character": Character()}
    grey, rgb = (Synthesizer(recipe_of(**parts, color=color), 1).batch(0, 4).images for color in ("grey", "rgb"))
    assert (grey.min(), grey.max()) == (30, 240)
    assert (rgb[..., 0] == 200).all()
    assert not rgb[..., 1:].any()


@pytest.mark.parametrize("per", ["image", "character"])
def test_the_mask_is_painted_with_either_ink(per: str) -> None:
    recipe = recipe_of(mask=Mask(lines=((0, 3, 89, 40),)), ink=Ink(level=(20, 30), per=per))
    images = Synthesizer(recipe, 1).batch(0, 8).images
    assert (images[:, mask_pixels(recipe)] <= 30).all()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"placement": CELLS}, "both say where"),
        ({"layout": None}, "nothing says where"),
        ({"noise": Noise(flip_probability=0.1)}, "flips binary pixels"),
        ({"character": Character(scale=(1.0, 0.5))}, r"`picture.character.scale` is \[1.0, 0.5\]"),
        ({"character": Character(scale=0.0)}, "`picture.character.scale` is 0.0; expected 0.1 to 10"),
        ({"ink": Ink(level=(0, 300))}, r"`picture.ink.level` is \[0.*, 300.*\]; expected 0 to 255"),
        ({"layout": Flow(y_px=float("nan"))}, "`picture.layout.y_px` is nan; expected a finite number"),
        ({"layout": Flow(y_px=1e300)}, r"`picture.layout.y_px` is 1e\+300; expected -4096 to 4096"),
        ({"warps": (Curve(bend_px=(-1e9, 0)),)}, r"`picture.warps\[0\].bend_px` is .*; expected -1024 to 1024"),
        ({"clutter": (Dots(count=float("nan")),)}, r"`picture.clutter\[0\].count` is nan; expected a finite number"),
        ({"fonts": (Font(file=ARIMO, size_px=100_000),)}, r"`fonts\[0\].size_px` is 100000; expected 1 to 1024"),
    ],
)
def test_contradictions_are_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        recipe_of(**changes)


def test_characters_that_no_memory_holds_are_refused() -> None:
    wild = recipe_of(character=Character(scale=10.0, aspect=10.0, shear=2.0), warps=(Rotate(angle_deg=45),) * 4)
    with pytest.raises(RecipeError, match=r"may become .* px wide or high, .* lower `size_px`"):
        Synthesizer(wild, 0)


def test_a_picture_recipe_comes_back_from_its_file(tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("recipe") / "own.toml"
    recipe_of().save(path)
    assert Recipe.load(path) == recipe_of()


def test_what_binarises_real_images_refuses_a_grey_recipe() -> None:
    with pytest.raises(RecipeError, match=r"paints in grey, .* set `picture.color = \"binary\"`"):
        load_real_images("anywhere", recipe_of())


def test_a_loaded_recipe_knows_its_pictures(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("recipe")
    (folder / "grounds").mkdir()
    Image.fromarray(np.full((60, 100), 200, np.uint8)).save(folder / "grounds" / "a.png")
    recipe_of(ground=Pictures(folder="grounds")).save(folder / "own.toml")
    recipe = Recipe.load(folder / "own.toml")
    assert Synthesizer(recipe, 0).batch(0, 4).images.max() == 200
    Image.fromarray(np.full((60, 100), 90, np.uint8)).save(folder / "grounds" / "a.png")
    with pytest.raises(RecipeError, match="changed"):
        Synthesizer(recipe, 0)


def test_binary_pictures_are_the_grey_ones_binarised() -> None:
    rule = Binarize(threshold=120, ink="dark", open_px=2)
    binary = Synthesizer(recipe_of(color="binary", binarize=rule), 4)
    grey = Synthesizer(recipe_of(), 4).batch(0, 20).images
    expected = np.stack([binarize(image, rule) for image in grey])
    assert np.array_equal(binary.batch(0, 20).images, expected)
    assert np.array_equal(binary.batch(0, 20, packed=True).images, np.packbits(expected, axis=2))


def test_ink_keeps_its_contrast() -> None:
    ink = Ink(level=(0, 255), contrast=(60, 80))
    batch = Synthesizer(recipe_of(ink=ink, ground=Flat(level=(0, 255)), character=Character()), 4).batch(
        0, 40, masks=True
    )
    assert batch.masks is not None
    for image, masks in zip(batch.images.astype(int), batch.masks, strict=True):
        ground = np.bincount(image.ravel()).argmax()
        inked = image[masks.any(axis=0)]
        assert 59 <= np.abs(inked - ground).max() <= 81
