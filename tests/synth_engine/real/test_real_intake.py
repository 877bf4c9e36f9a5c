"""Loading a target: what is left out is counted and named."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from synth_engine import Recipe
from synth_engine.errors import RealImagesError
from synth_engine.real import IntakeReport, load_real_images
from tests.synth_engine.real.test_real_files import challenge, picture


@pytest.fixture
def mixed(tmp_path: Path) -> Path:
    """Two good images, one damaged, one repeated, one of another size."""
    (tmp_path / "challenge-0").write_bytes(challenge(a=picture(), b=picture(value=0), c=b"damaged"))
    (tmp_path / "challenge-1").write_bytes(challenge(a=picture(value=0), d=picture(size=(41, 24))))
    return tmp_path


def test_images_are_binarised_in_order(mixed: Path, tiny: Recipe) -> None:
    target = load_real_images(mixed, tiny)
    assert target.names == ("a", "b")
    assert target.images.dtype == np.uint8
    assert target.images.shape == (2, 24, 40)
    assert [image.mean() for image in target.images] == [1, 0]


def test_what_is_left_out_is_named(mixed: Path, tiny: Recipe) -> None:
    report = load_real_images(mixed, tiny).report
    assert report.summary() == "2 read, 2 damaged, 1 of another size"
    assert [name for name, _ in report.damaged] == ["c", "a"]
    assert "repeats the name" in report.damaged[1][1]
    assert report.wrong_size == (("d", (24, 41)),)
    assert "another size: d: 41x24 px" in report.lines()


def test_reading_stops_at_the_limit(mixed: Path, tiny: Recipe) -> None:
    assert load_real_images(mixed, tiny, limit=1).names == ("a",)


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


def test_a_long_report_shows_the_first_names() -> None:
    lines = IntakeReport(1, tuple((f"n{k}", "r") for k in range(7))).lines(shown=2)
    assert lines == ["1 read, 7 damaged, 0 of another size", "damaged: n0: r", "damaged: n1: r", "… and 5 more"]
