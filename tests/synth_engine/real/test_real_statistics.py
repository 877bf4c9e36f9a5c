"""How far real images lie from a recipe: nothing from their own, far from another, and ink for ground is refused."""

from __future__ import annotations

import numpy as np
import pytest

from synth_engine import Recipe, Synthesizer
from synth_engine.errors import RealImagesError
from synth_engine.real import ink_differences, mismatch_warning
from synth_engine.recipe import Placement, Turn


@pytest.fixture(scope="module")
def images(tiny: Recipe) -> np.ndarray:
    return Synthesizer(tiny, 9).batch(0, 1000).images


def test_images_of_the_recipe_are_near(tiny: Recipe, images: np.ndarray) -> None:
    found = ink_differences(images, tiny)
    assert all(each.distance < 0.08 for each in found)
    assert mismatch_warning(found) is None


def test_the_figure_that_differs_comes_first_with_both_medians(tiny: Recipe, images: np.ndarray) -> None:
    lower = np.zeros_like(images)
    lower[:, 3:] = images[:, :-3]
    first = ink_differences(lower, tiny)[0]
    assert first.statistic == "middle of the ink down, px"
    assert 2.0 < first.real - first.synthetic <= 3.1
    assert first.distance > 0.5
    assert "middle of the ink down" in (mismatch_warning([first]) or "")


def test_the_distance_is_kolmogorov_and_smirnovs(tiny: Recipe, images: np.ndarray) -> None:
    still = tiny.replace(placement=Placement(pitch_px=19, x_span_px=6, turns=(Turn(angle_deg=(0, 0), y_px=(-1, 4)),)))
    found = {each.statistic: each for each in ink_differences(images, still)}["ink, %"]
    shares = [side.mean(axis=(1, 2)) for side in (images, Synthesizer(still, 0).batch(0, 2048).images)]
    gaps = [abs((shares[0] <= value).mean() - (shares[1] <= value).mean()) for value in np.concatenate(shares)]
    assert found.distance == pytest.approx(max(gaps))


def test_ink_for_ground_is_refused_with_the_remedy(tiny: Recipe, images: np.ndarray) -> None:
    with pytest.raises(RealImagesError, match=r"ink and ground seem exchanged.*\[binarize\]"):
        ink_differences(1 - images, tiny)


def test_empty_images_are_far_and_finite(tiny: Recipe, images: np.ndarray) -> None:
    found = ink_differences(np.zeros_like(images[:5]), tiny)
    assert found[0].distance == 1.0
    assert all(np.isfinite([each.real, each.distance]).all() for each in found)
