"""What predict's pipeline costs beside its network: images a second from arrays and from JPEG in challenge files.

An untrained network of the default size reads synthetic images of `hackmit-target`; its weights do not change the cost.
"network" scores arrays that are ready; "arrays" adds scaling and decoding, "jpeg" also files, base64, JPEG, binarising,
confidences, second choices and boxes, and writes JSON lines. Rivals take turns; rates are of the whole process's CPU
time, medians over rounds, `wall` the same on the clock. SYNTH_BENCH_TINY=1 runs a small network once.
"""

from __future__ import annotations

import base64
import io
import json
import os
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pytest_benchmark.fixture import BenchmarkFixture
from rates import Rival, rates_of

from synth_engine import Recipe, Synthesizer
from synth_engine.tensorflow_setup import prepare_tensorflow

tf = prepare_tensorflow(seed=None)

from classifier.learning.settings import TrainingSettings  # noqa: E402
from classifier.networks.heads import build  # noqa: E402
from classifier.reading.prediction_files import iter_predictions  # noqa: E402
from classifier.reading.predictions import line  # noqa: E402
from classifier.reading.reader import Reader  # noqa: E402
from synth_engine.real import IntakeReport, iter_grey  # noqa: E402
from synth_engine.training.value_range import to_network  # noqa: E402

TINY = os.environ.get("SYNTH_BENCH_TINY") == "1"
IMAGES, ROUNDS = (16, 1) if TINY else (2048, 3)
LEAST = {"arrays over network": 0.85, "jpeg over network": 0.65}

pytestmark = pytest.mark.benchmark(group="reading")


def challenge(images: np.ndarray, path: Path) -> Path:
    """A challenge file of ``images`` as JPEG, white on grey: black counts as ink with the contest's rule."""
    entries = []
    for k, image in enumerate(images):
        buffer = io.BytesIO()
        Image.fromarray(image * 155 + 100).save(buffer, "JPEG", quality=90)
        entries.append({"name": f"image{k}", "jpg_base64": base64.b64encode(buffer.getvalue()).decode()})
    path.write_text(json.dumps({"images": entries}))
    return path


def clocked(turn: Callable[[], object], seconds: list[float]) -> Callable[[], object]:
    """``turn``, noting how long it takes."""

    def run() -> None:
        began = time.perf_counter()
        turn()
        seconds.append(time.perf_counter() - began)

    return run


def test_reading_against_the_bare_network(benchmark: BenchmarkFixture, tmp_path: Path) -> None:
    recipe, sizes = Recipe.named("hackmit-target"), TrainingSettings()
    width, depth = (4, 2) if TINY else (sizes.width, sizes.depth)
    reader = Reader.of(build("grid", recipe, width=width, depth=depth), recipe)
    images = Synthesizer(recipe, 3).batch(0, IMAGES).images
    file = challenge(images, tmp_path / "challenge-0")
    scaled = [to_network(images[k : k + reader.batch_size]) for k in range(0, IMAGES, reader.batch_size)]
    ways: dict[str, Callable[[], object]] = {
        "network": lambda: [reader.scores(part) for part in scaled],
        "arrays": lambda: reader.read(images).confidence(),
        "jpeg": lambda: [
            line(one, "jsonl", True) for one in iter_predictions(reader, iter_grey(file), IntakeReport(), details=True)
        ],
    }
    walls: dict[str, list[float]] = {name: [] for name in ways}
    rivals = {name: Rival(IMAGES, clocked(turn, walls[name])) for name, turn in ways.items()}
    rates = benchmark.pedantic(rates_of, (rivals, ROUNDS), rounds=1)
    ratios = {f"{name} over network": rates[name] / rates["network"] for name in ("arrays", "jpeg")}
    benchmark.extra_info["images_per_cpu_s"] = {name: round(rate) for name, rate in rates.items()}
    benchmark.extra_info["wall"] = {name: round(IMAGES / min(taken)) for name, taken in walls.items()}
    benchmark.extra_info["ratios"] = {name: round(ratio, 3) for name, ratio in ratios.items()}
    benchmark.extra_info["machine"] = f"{os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f}"
    assert TINY or all(ratio >= LEAST[name] for name, ratio in ratios.items()), ratios
