"""What several test modules share: recipes, and the contest's files when they lie beside the checkout."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import settings

from synth_engine import Recipe, Synthesizer
from synth_engine.recipe import Canvas, Font, Placement, Raster, Turn
from synth_engine.training.value_range import to_network

# Shared machines stall for longer than any deadline, and a gate must not depend on which examples it happens to try.
settings.register_profile("gate", deadline=None, derandomize=True)
settings.load_profile("gate")

CONTEST = Path(__file__).parents[2] / "shared" / "hackmit"
ARIMO = "package:fontpkg_arimo/files/Arimo[wght].ttf"


@pytest.fixture(scope="session")
def contest() -> Path:
    """The folder of the contest's files; skips where it is not."""
    if not CONTEST.is_dir():
        pytest.skip("the contest's images are not free and lie beside the checkout on some machines only")
    return CONTEST


@pytest.fixture
def interruptible() -> Iterator[None]:
    """SIGINT interrupts this process and those it starts, also when the tests run in the background of a script.

    A shell starts such commands with SIGINT ignored, and Python leaves it so.
    """
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(scope="session")
def hackmit() -> Recipe:
    return Recipe.named("hackmit")


@pytest.fixture(scope="session")
def tiny() -> Recipe:
    """Two characters of five on 40×24 px: quick to render, to learn and to look at."""
    return Recipe(
        name="tiny",
        alphabet="acx17",
        length=2,
        canvas=Canvas(width_px=40, height_px=24),
        fonts=(Font(file=ARIMO, size_px=16),),
        raster=Raster(tile_px=24, angle_step_deg=5.0),
        placement=Placement(pitch_px=19, x_span_px=6, turns=(Turn(angle_deg=(-10, 10), y_px=(-1, 4)),)),
    )


@pytest.fixture
def normalised_network(tiny: Recipe) -> Any:
    """A grid network for `tiny` with random weights, and normalisation that does something."""
    keras = pytest.importorskip("keras")
    from classifier.networks.heads import build

    keras.utils.set_random_seed(1)
    network = build("grid", tiny, width=8, depth=2)
    random = np.random.default_rng(1)
    for variable in network.variables:
        if variable.path.endswith(("gamma", "beta", "moving_mean", "moving_variance")):
            variable.assign(random.uniform(0.5, 1.5, variable.shape))
    return network


@pytest.fixture
def tiny_images(tiny: Recipe) -> np.ndarray:
    """Sixteen images of `tiny`, (16, 24, 40, 1) float32 {-1, 1}."""
    return to_network(Synthesizer(tiny, 2).batch(0, 16).images)
