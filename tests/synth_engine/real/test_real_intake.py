"""Intake: which images can be used; what is left out is counted and named, in one way for all who read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from synth_engine import Recipe, Synthesizer
from synth_engine.errors import RealImagesError, RecipeError
from synth_engine.real import Found, IntakeReport, iter_grey, iter_listed, load_real_images, usable_images
from synth_engine.real.intake import POLARITY_IMAGES, readable_images
from tests.synth_engine.real.image_files import challenge, picture


@pytest.fixture
def mixed(tmp_path: Path) -> Path:
    """Two good images, one damaged, one repeated, one of another size."""
    (tmp_path / "challenge-0").write_bytes(challenge(a=picture(), b=picture(value=0), c=b"damaged"))
    (tmp_path / "challenge-1").write_bytes(challenge(a=picture(value=0), d=picture(size=(41, 24))))
    return tmp_path


def inverted(recipe: Recipe, folder: Path, count: int = 3) -> Path:
    for k, image in enumerate(Synthesizer(recipe, 2).batch(0, count).images):
        Image.fromarray(255 - image * 255).save(folder / f"image{k}.png")
    return folder


def test_images_are_binarised_in_order(mixed: Path, tiny: Recipe) -> None:
    real = load_real_images(mixed, tiny)
    assert real.names == ("a", "b")
    assert real.images.dtype == np.uint8
    assert real.images.shape == (2, 24, 40)
    assert [image.mean() for image in real.images] == [1, 0]


def test_what_is_left_out_is_named(mixed: Path, tiny: Recipe) -> None:
    report = load_real_images(mixed, tiny).report
    assert report.summary() == "2 read, 1 damaged, 1 of another size, 1 repeated"
    assert [name for name, _ in report.damaged] == ["c"]
    assert report.repeated == ["a"]
    assert report.wrong_size == [("d", (24, 41))]
    assert report.names == {"a", "b", "c", "d"}
    assert "another size: d: 41x24 px instead of 40x24 px" in report.lines()
    assert "repeated: a: an earlier image of this name is used; rename it" in report.lines()


def test_a_name_is_taken_by_a_usable_image_alone(tiny: Recipe) -> None:
    found = [Found("a", None, "torn"), Found("a", np.zeros((1, 1), np.uint8)), Found("a", np.zeros((24, 40), np.uint8))]
    report = IntakeReport()
    assert [image.name for image in usable_images(found, tiny, report)] == ["a"]
    assert report.summary() == "1 read, 1 damaged, 1 of another size, 0 repeated"


def test_images_without_a_wanted_name_are_passed_over_but_damage_is_named(mixed: Path, tiny: Recipe) -> None:
    report = IntakeReport()
    assert [image.name for image in usable_images(iter_grey(mixed), tiny, report, only={"b"})] == ["b"]
    assert report.summary() == "1 read, 1 damaged, 0 of another size, 0 repeated"
    assert report.names == {"a", "b", "c", "d"}


def test_without_a_shape_any_size_is_read(mixed: Path) -> None:
    assert [image.grey.shape for image in readable_images(iter_grey(mixed), IntakeReport())][-1] == (24, 41)


def test_the_pass_is_lazy_past_the_images_that_tell_the_polarity(tiny: Recipe) -> None:
    asked = 0

    def endless() -> Iterator[Found]:
        nonlocal asked
        while True:
            asked += 1
            yield Found(f"n{asked}", np.zeros((24, 40), np.uint8))

    images = usable_images(endless(), tiny, IntakeReport())
    for count in range(1, POLARITY_IMAGES + 5):
        next(images)
        assert asked == max(count, POLARITY_IMAGES)


def test_a_limit_bounds_what_is_read(mixed: Path, tiny: Recipe) -> None:
    (mixed / "challenge-0").write_bytes(challenge(b=picture(value=0), a=picture()))
    found: list[int] = []
    real = load_real_images(mixed, tiny, limit=1, progress=lambda done, _: found.append(done))
    assert real.names == ("b",)
    assert real.report.read == 1
    assert len(found) <= 1


def test_the_other_polarity_is_refused_with_the_remedy(tiny: Recipe, tmp_path: Path) -> None:
    with pytest.raises(RealImagesError, match=r"ink and ground seem exchanged.*ink = 'dark'.*\[binarize\]"):
        load_real_images(inverted(tiny, tmp_path), tiny)


def test_the_other_polarity_is_reported_where_it_is_allowed(tiny: Recipe, tmp_path: Path) -> None:
    report = load_real_images(inverted(tiny, tmp_path), tiny, allow_inverted=True).report
    assert report.lines()[-1].startswith("warning: ink and ground seem exchanged")


def test_only_wrong_sizes_is_an_error_that_names_them(tmp_path: Path, tiny: Recipe) -> None:
    (tmp_path / "x.png").write_bytes(picture(size=(100, 50)))
    with pytest.raises(
        RealImagesError, match=r"expected images of 40x24 px .*set the canvas .*another size: x: 100x50 px"
    ) as error:
        load_real_images(tmp_path, tiny)
    assert isinstance(error.value.value, IntakeReport)


def test_a_limit_below_one_is_refused(mixed: Path, tiny: Recipe) -> None:
    with pytest.raises(RealImagesError, match="limit of at least 1"):
        load_real_images(mixed, tiny, limit=0)


def test_a_recipe_that_is_not_binary_is_refused_before_anything_is_read(tiny: Recipe) -> None:
    with pytest.raises(RecipeError):
        usable_images([], tiny.replace(color="grey"), IntakeReport())


def test_a_long_report_shows_the_first_names() -> None:
    report = IntakeReport(1, damaged=[(f"n{k}", "r") for k in range(7)])
    lines = ["1 read, 7 damaged, 0 of another size, 0 repeated", *(f"damaged: n{k}: r" for k in range(7))]
    assert report.lines(shown=2) == [*lines[:3], "… and 5 more"]
    assert report.lines(shown=None) == lines


def test_progress_knows_the_total_of_a_folder_of_pictures(tiny: Recipe, tmp_path: Path) -> None:
    seen: list[tuple[int, int | None]] = []
    for k in range(3):
        (tmp_path / f"{k}.png").write_bytes(picture(value=0))
    load_real_images(tmp_path, tiny, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(1, 3), (2, 3), (3, 3)]
    (tmp_path / "challenge-0").write_bytes(challenge(a=picture(value=0)))
    load_real_images(tmp_path, tiny, progress=lambda done, total: seen.append((done, total)))
    assert seen[3:] == [(1, None), (2, None), (3, None), (4, None)]


def test_a_listed_path_that_is_missing_is_damaged(mixed: Path) -> None:
    found = list(iter_listed([f"{mixed / 'nowhere'}\n", "\n", f"{mixed / 'challenge-0'}\r\n"]))
    assert [image.name for image in found] == [str(mixed / "nowhere"), "a", "b", "c"]
    assert "does not exist" in str(found[0].problem)
