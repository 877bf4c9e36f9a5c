"""Networks computed in another number format: nearly the same answers, and files that do not hold the format."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from synth_engine import Recipe
from synth_engine.errors import RunError

keras = pytest.importorskip("keras")

from classifier.reading.reader import Reader, save_reader  # noqa: E402
from synth_engine.training.precision import cpu_flags, in_precision  # noqa: E402


def test_half_precision_computes_coarsely_and_keeps_weights_and_scores_whole(
    normalised_network: keras.Model, tiny_images: np.ndarray
) -> None:
    half = in_precision(normalised_network, "mixed_bfloat16")
    exact, coarse = (np.asarray(each(tiny_images, training=False)) for each in (normalised_network, half))
    assert coarse.dtype == np.float32
    assert 0 < np.abs(coarse - exact).max() < 0.05 * np.abs(exact).max()
    assert {variable.dtype for variable in half.variables} == {"float32"}


def test_a_saved_network_asks_for_no_hardware(normalised_network: keras.Model, tiny: Recipe, tmp_path: Path) -> None:
    path = save_reader(in_precision(normalised_network, "mixed_bfloat16"), tiny, tmp_path)
    assert {layer.compute_dtype for layer in Reader.load(path).network.layers} == {"float32"}


def test_an_unknown_precision_is_refused(normalised_network: keras.Model) -> None:
    with pytest.raises(RunError, match="choose one of float32, mixed_bfloat16"):
        in_precision(normalised_network, "int8")  # type: ignore[arg-type]


def test_flags_are_those_of_the_first_processor(tmp_path: Path) -> None:
    (tmp_path / "cpuinfo").write_text("processor: 0\nflags\t\t: fpu avx512_bf16\n\nprocessor: 1\nflags\t: other\n")
    assert cpu_flags(tmp_path / "cpuinfo") == {"fpu", "avx512_bf16"}
    assert cpu_flags(tmp_path / "none") == set()
