"""`python -m classifier.export`: a reader in other formats, proven to read the same, with what decoding needs."""

from __future__ import annotations

import json
import shutil
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click
import numpy as np
from numpy.typing import NDArray

from classifier.networks.grid import RADIUS
from classifier.networks.head import PRESENCE_MIN, STRIDE
from classifier.networks.readings import Floats, join
from synth_engine.atomic import staging
from synth_engine.cli.guard import main_guard
from synth_engine.errors import ModelError
from synth_engine.synthesizer import Synthesizer
from synth_engine.training.value_range import to_network

if TYPE_CHECKING:
    from classifier.reading.reader import Reader

TABLE = "reader.json"
SEED = 1
BATCH = 250
Scorer = Callable[[Floats], Any]


@click.command(
    epilog="Example: python -m classifier.export --model runs/classifier/classifier.keras --format onnx --out exported"
)
@click.option("--model", required=True, type=click.Path(), help="classifier.keras, recipe.toml beside it.")
@click.option(
    "--format", "form", required=True, type=click.Choice(["keras", "savedmodel", "onnx", "tflite"]), help="To write."
)
@click.option(
    "--out", default="exported", show_default=True, type=click.Path(file_okay=False), help="Folder for the files."
)
@click.option("--images", type=click.Path(), help="Real images to prove it with.  [default: synthetic ones]")
@click.option("--count", default=1000, show_default=True, type=click.IntRange(1), help="Images to prove it with.")
@click.option("--threads", type=click.IntRange(1), help="TensorFlow's threads.  [default: one a core]")
def main(model: str, form: str, out: str, images: str | None, count: int, threads: int | None) -> None:
    """Write the network as reader.FORMAT, and beside it reader.json (alphabet, scaling, how to decode) and recipe.toml.

    Nothing is written unless the new file reads --count images to the same texts. onnx needs the extra `onnx`.
    """
    from synth_engine.tensorflow_setup import prepare_tensorflow

    prepare_tensorflow(None, threads)
    from classifier.reading.reader import Reader
    from synth_engine.real import load_real_images

    reader = Reader.load(model)
    shown = load_real_images(images, reader.recipe, count).images if images else samples(reader, count)
    path, difference = export(reader, form, Path(out), shown)
    click.echo(f"{path}: reads {len(shown)} images to the same texts, scores differ by {difference:.1e} at most")


def export(reader: Reader, form: str, out: Path, images: NDArray[np.uint8]) -> tuple[Path, float]:
    """Write the network in ``form`` into the folder ``out``; its path, and how far scores of ``images`` differ at most.

    images: (N, H, W) uint8 {0, 1}. Raises ModelError if ``out`` has such a file already, a library is missing, or a
    text is read differently; ``out`` then stays as it was.
    """
    from classifier.reading.reader import Reader

    kind = FORMATS[form]
    exact = Reader.of(reader.network, reader.recipe, precision="float32", calibration=reader.calibration)
    target = out / kind.file
    if target.exists():
        raise ModelError(f"{target} exists already; choose another --out, or remove it", target)
    with staging(target) as parts, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the converters' own, of NumPy's and their own future
        exact.network(to_network(images[:1]))  # Keras exports only what has been called
        kind.write(exact.network, parts / kind.file)
        difference = prove(exact, kind.open(parts / kind.file), images, target)
        exact.recipe.save(out / "recipe.toml")
        (out / TABLE).write_text(json.dumps(table(exact, form), indent=2) + "\n")
        (parts / kind.file).rename(target)
    return target, difference


def samples(reader: Reader, count: int) -> NDArray[np.uint8]:
    """Synthetic images of the reader's recipe."""
    return Synthesizer(reader.recipe, SEED).batch(0, count).images


def prove(reader: Reader, scorer: Scorer, images: NDArray[np.uint8], target: Path) -> float:
    """How far scores differ at most; raises ModelError if any of ``images`` is read differently."""
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
            f"expected {target.name} to read {len(images)} images as the network, {differing} are read differently "
            f"(scores differ by up to {difference:.1e}); another version of the converter may do better",
            differing,
        )
    return difference


def table(reader: Reader, form: str) -> dict[str, Any]:
    """What a program needs to read with the file: see examples/read_onnx.py."""
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


class Kind(NamedTuple):
    """One format: its file or folder, how to write a network there, and how to get a scorer from it."""

    file: str
    write: Callable[[Any, Path], object]
    open: Callable[[Path], Scorer]


def _open_keras(path: Path) -> Scorer:
    import keras

    network = keras.models.load_model(path, compile=False, safe_mode=True)
    return lambda images: network(images, training=False)


def _write_saved_model(network: Any, path: Path) -> None:
    network.export(path, format="tf_saved_model", verbose=False)


def _open_saved_model(path: Path) -> Scorer:
    import tensorflow as tf

    loaded = tf.saved_model.load(path)
    return lambda images: loaded.serve(images)  # which holds the variables


def _write_onnx(network: Any, path: Path) -> None:
    _require("onnx", "tf2onnx", "onnxruntime")
    network.export(path, format="onnx", verbose=False)


def _open_onnx(path: Path) -> Scorer:
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return lambda images: session.run(None, {session.get_inputs()[0].name: images})[0]


def _write_tflite(network: Any, path: Path) -> None:
    import tensorflow as tf

    saved = path.with_suffix(".saved")
    _write_saved_model(network, saved)
    path.write_bytes(tf.lite.TFLiteConverter.from_saved_model(str(saved)).convert())
    shutil.rmtree(saved)


def _open_tflite(path: Path) -> Scorer:
    try:
        from ai_edge_litert.interpreter import Interpreter
    except ImportError:
        import tensorflow as tf

        Interpreter = tf.lite.Interpreter

    reader = Interpreter(model_path=str(path))
    place, result = (details()[0]["index"] for details in (reader.get_input_details, reader.get_output_details))

    def score(images: Floats) -> Any:
        reader.resize_tensor_input(place, images.shape)
        reader.allocate_tensors()
        reader.set_tensor(place, images)
        reader.invoke()
        return reader.get_tensor(result)

    return score


def _require(*modules: str) -> None:
    from importlib.util import find_spec

    missing = [name for name in modules if find_spec(name) is None]
    if missing:
        raise ModelError(f"{', '.join(missing)} expected, not installed; pip install 'synth-engine[onnx]'", missing)


FORMATS = {
    "keras": Kind("reader.keras", lambda network, path: network.save(path), _open_keras),
    "savedmodel": Kind("reader", _write_saved_model, _open_saved_model),
    "onnx": Kind("reader.onnx", _write_onnx, _open_onnx),
    "tflite": Kind("reader.tflite", _write_tflite, _open_tflite),
}


if __name__ == "__main__":
    main_guard(main)
