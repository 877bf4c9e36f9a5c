"""The engine against other makers of text images: four characters of a-z0-9 on about 100×50 px, left in memory.

One process and one thread each; the rivals take turns and the medians of the process's CPU time are compared. The
texts are drawn beforehand for the peers, the engine draws its own; the engine also writes labels and boxes, which no
peer does. Everyone draws with the file of Arimo from `fontpkg_arimo`.

- engine, everything on: `recipes/everything.toml`, the same with a line warp, grain, blur, noise and a JPEG round trip;
  compared with captcha, the peer that has the most of that.
- engine: `recipes/grey.toml`, uint8 arrays of 100×50: letters of 30 px turned by ±25° and in perspective one by one, a
  Bézier curve and thirty dots.
- captcha: `ImageCaptcha(100, 50)` at its defaults (letters of 42 to 56 px turned by ±30° and warped, thirty dots, one
  arc, smoothing), an RGB image of Pillow.
- wheezy.captcha: the drawings of its own example (letters warped, turned by ±25° and shifted, Bézier curve, fifty
  dashes, smoothing), sizes halved as the width is half its default; an RGB image of Pillow.
- neots: height 50 px, the width follows the text (80 to 230 px); letters of 55 px, scale, margins and grey ground at
  its defaults, no background pictures. "clean" leaves out effects and transforms; "rotation and perspective" applies
  both to every image, in its default ranges (±2.5°, 3%). An RGB array (its call for arrays is its fastest). "small"
  is the same with letters of 26 px, about the engine's size, which neots then enlarges to the height.

`extra_info` holds rates, ratios and versions. SYNTH_BENCH_TINY=1 runs the same on small counts.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files
from pathlib import Path

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from bench.rates import Rival, rates_of
from synth_engine import Recipe, Synthesizer
from synth_engine.fonts.faces import font_path

TINY = os.environ.get("SYNTH_BENCH_TINY") == "1"
ROUNDS = 3 if TINY else 15
BATCH = 512
TURN = 4 if TINY else 16  # batches in the engine's turn
PEER_IMAGES = 20 if TINY else 100  # some hundred milliseconds of the slowest
WIDTH, HEIGHT = 100, 50
ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789"
FONT = str(font_path("package:fontpkg_arimo/files/Arimo[wght].ttf"))
WANTED = {"captcha": 60.0, "neots, rotation and perspective": 15.0}
SLACK = 2.0  # a busy or another machine may shift a ratio by so much; peers without a wanted ratio must only be slower

pytestmark = pytest.mark.benchmark(group="peers")


def engine_rival(recipe: str) -> Rival:
    synth = Synthesizer(Recipe.load(Path(__file__).parent / "recipes" / recipe), seed=1)
    batch = synth.batch(0, BATCH)

    def turn() -> None:
        for k in range(TURN):
            synth.fill(batch.images, batch.labels, k * BATCH, boxes=batch.boxes)

    return Rival(TURN * BATCH, turn)


def peer_rival(draw: Callable[[str], object]) -> Rival:
    """``draw`` makes one image of a text; a turn holds its images until all are made, as a batch would be."""
    dice = random.Random(1)
    texts = ["".join(dice.choices(ALPHABET, k=4)) for _ in range(PEER_IMAGES)]
    return Rival(PEER_IMAGES, lambda: [draw(text) for text in texts])


def captcha_draw() -> Callable[[str], object]:
    from captcha.image import ImageCaptcha

    return ImageCaptcha(WIDTH, HEIGHT, fonts=[FONT]).generate_image


def wheezy_draw() -> Callable[[str], object]:
    from wheezy.captcha import image

    letters = image.text(fonts=[FONT], font_sizes=(32, 35, 38), drawings=[image.warp(), image.rotate(), image.offset()])
    drawings = [image.background(), letters, image.curve(), image.noise(), image.smooth()]
    return image.captcha(drawings, width=WIDTH, height=HEIGHT)


def neots_draw(size_px: int, transform_prob: float) -> Callable[[str], object]:
    import yaml
    from neots import SingleLineTextGenerator

    config = yaml.safe_load(files("neots").joinpath("data/configs/minimal.yaml").read_text())
    config["text_sampler"].update(font_list=[FONT], font_size=size_px, vertical_prob=0.0)
    config["bg_sampler"].update(gray_bg_prob=1.0, bg_list=[])
    config["post_process"]["text_effects"].update(effect_prob=0.0)
    config["post_process"]["transforms"].update(rotation_prob=transform_prob, distortion_prob=transform_prob)
    config["generate"].update(output_height=HEIGHT)
    return partial(SingleLineTextGenerator.from_config(config).generate_instance, type="numpy")


PEERS: dict[str, Callable[[], Callable[[str], object]]] = {
    "captcha": captcha_draw,
    "wheezy.captcha": wheezy_draw,
    "neots, clean": partial(neots_draw, 55, 0.0),
    "neots, rotation and perspective": partial(neots_draw, 55, 1.0),
    "neots, rotation and perspective, small": partial(neots_draw, 26, 1.0),
}


def package_of(peer: str) -> str:
    return peer.split(",")[0]


def installed(peer: str) -> bool:
    try:
        return bool(version(package_of(peer)))
    except PackageNotFoundError:
        return False


@pytest.fixture(scope="module")
def draws() -> dict[str, Callable[[str], object]]:
    """How the peers that are installed draw a text; one that is installed and broken is an error."""
    return {name: make() for name, make in PEERS.items() if installed(name)}


@pytest.fixture(scope="module")
def rates(draws: dict[str, Callable[[str], object]]) -> dict[str, float]:
    peers = {name: peer_rival(draw) for name, draw in draws.items()}
    engines = {"engine": engine_rival("grey.toml"), "engine, everything on": engine_rival("everything.toml")}
    return rates_of({**engines, **peers}, ROUNDS)


@pytest.mark.parametrize("peer", PEERS)
def test_engine_against_a_peer(
    benchmark: BenchmarkFixture,
    draws: dict[str, Callable[[str], object]],
    rates: dict[str, float],
    peer: str,
) -> None:
    if peer not in rates:
        pytest.skip(f"{package_of(peer)} is not installed; install the extra `peers`")
    ratio = rates["engine"] / rates[peer]
    benchmark.extra_info.update({f"{name} images/s": round(rates[name]) for name in ("engine", peer)})
    benchmark.extra_info[f"engine / {peer}"] = round(ratio, 1)
    benchmark.extra_info["versions"] = {name: version(name) for name in (package_of(peer), "pillow", "numba")}
    benchmark.extra_info["wanted"] = WANTED.get(peer)
    benchmark(draws[peer], "x7gk")
    assert ratio > WANTED.get(peer, SLACK) / SLACK, rates


def test_everything_on_against_captcha(benchmark: BenchmarkFixture, rates: dict[str, float]) -> None:
    if "captcha" not in rates:
        pytest.skip("captcha is not installed; install the extra `peers`")
    ratio = rates["engine, everything on"] / rates["captcha"]
    benchmark.extra_info["engine, everything on, images/s"] = round(rates["engine, everything on"])
    benchmark.extra_info["engine, everything on / captcha"] = round(ratio, 1)
    rival = engine_rival("everything.toml")
    benchmark.pedantic(rival.turn, rounds=1 if TINY else 5)
    assert ratio > 5, rates
