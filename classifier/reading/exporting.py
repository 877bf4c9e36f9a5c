"""Exporting a reader: its network in another format, proven to read the same, and what decoding its scores needs."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifier.networks.grid import RADIUS
from classifier.networks.head import PRESENCE_MIN, STRIDE
from classifier.networks.readings import join
from classifier.reading.export_formats import FORMATS, FormatName, Scorer
from classifier.reading.reader import Reader
from synth_engine.errors import ModelError
from synth_engine.json_files import write_json
from synth_engine.synthesizer import Synthesizer
from synth_engine.training.keras_files import RECIPE
from synth_engine.training.run_folder import new_folder
from synth_engine.training.value_range import to_network

TABLE = "reader.json"
KIND = "reader"
SEED = 1
BATCH = 250


def export(reader: Reader, form: FormatName, out: Path, images: NDArray[np.uint8]) -> tuple[Path, float]:
    """Write the network in ``form`` into the new folder ``out``, with reader.json and recipe.toml.

    images: (N, H, W) uint8 {0, 1}, on which the written file must read the same texts. Returns its path and the largest
    difference of their scores. Raises RunError if ``out`` is taken, ModelError if a library is missing or a text is
    read differently; ``out`` then stays as it was.
    """
    kind = FORMATS[form]
    exact = Reader.of(reader.network, reader.recipe, precision="float32", calibration=reader.calibration)
    with new_folder(out, "--out") as parts, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the converters, about NumPy and themselves
        exact.network(to_network(images[:1]))  # Keras exports only what has been called
        kind.write(exact.network, parts / kind.file)
        difference = prove(exact, kind.open(parts / kind.file), images, out / kind.file)
        exact.recipe.save(parts / RECIPE)
        write_json(parts / TABLE, KIND, table(exact, form))
    return out / kind.file, difference


def samples(reader: Reader, count: int) -> NDArray[np.uint8]:
    """``count`` synthetic images (N, H, W) uint8 {0, 1} of the reader's recipe."""
    return Synthesizer(reader.recipe, SEED).batch(0, count).images


def prove(reader: Reader, scorer: Scorer, images: NDArray[np.uint8], file: Path) -> float:
    """The largest difference of scores; raises ModelError if any of ``images`` (N, H, W) uint8 is read differently."""
    difference, pairs = 0.0, []
    for start in range(0, len(images), BATCH):
        part = to_network(images[start : start + BATCH])
        ours, theirs = (np.asarray(score(part), np.float32) for score in (reader.forward, scorer))
        difference = max(difference, float(np.abs(ours - theirs).max()))
        pairs.append([reader.head.decode(scores, reader.recipe) for scores in (ours, theirs)])
    first, second = (join(list(side)).codes for side in zip(*pairs, strict=True))
    differing = int((first != second).any(axis=1).sum())
    if differing:
        raise ModelError(
            f"expected {file.name} to read {len(images)} images as the network, {differing} are read differently "
            f"(scores differ by up to {difference:.1e}); another version of the converter may do better",
            differing,
        )
    return difference


def table(reader: Reader, form: FormatName) -> dict[str, Any]:
    """What a program needs to read with the file; examples/read_onnx.py is one."""
    recipe, calibration = reader.recipe, reader.calibration
    return {
        "file": FORMATS[form].file,
        "recipe": recipe.name,
        "alphabet": recipe.alphabet,
        "length": list(recipe.length_range),
        "shape_px": list(recipe.shape),
        "binarize": {name: getattr(recipe.binarize, name) for name in recipe.binarize.__struct_fields__},
        "pixels": {"ground": -1.0, "ink": 1.0},
        "scores": reader.head.scores_kind,
        "cell_px": STRIDE,
        "radius_cells": RADIUS,
        "presence_min": PRESENCE_MIN,
        "temperature": calibration.temperature if calibration else 1.0,
        "ceilings": list(calibration.ceilings) if calibration else [1.0] * len(recipe.alphabet),
    }
