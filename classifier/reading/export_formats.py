"""The formats that a reader's network is exported to: how each is written, and opened again to score images."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal, NamedTuple

from classifier.networks.readings import Floats
from synth_engine.errors import ModelError
from synth_engine.tensorflow_setup import quiet_stderr

FormatName = Literal["keras", "savedmodel", "onnx", "tflite"]
Scorer = Callable[[Floats], Any]


class ExportFormat(NamedTuple):
    """The file or folder of a format, how to write a network there, and how to get a scorer from it."""

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

    with quiet_stderr():  # LiteRT announces its delegates, and knows no log level
        interpreter = Interpreter(model_path=str(path))
    place = interpreter.get_input_details()[0]["index"]
    result = interpreter.get_output_details()[0]["index"]

    def score(images: Floats) -> Any:
        interpreter.resize_tensor_input(place, images.shape)
        with quiet_stderr():
            interpreter.allocate_tensors()
        interpreter.set_tensor(place, images)
        interpreter.invoke()
        return interpreter.get_tensor(result)

    return score


def _require(*modules: str) -> None:
    missing = [name for name in modules if find_spec(name) is None]
    if missing:
        raise ModelError(f"{', '.join(missing)} expected, not installed; pip install 'synth-engine[onnx]'", missing)


FORMATS: dict[FormatName, ExportFormat] = {
    "keras": ExportFormat("reader.keras", lambda network, path: network.save(path), _open_keras),
    "savedmodel": ExportFormat("reader", _write_saved_model, _open_saved_model),
    "onnx": ExportFormat("reader.onnx", _write_onnx, _open_onnx),
    "tflite": ExportFormat("reader.tflite", _write_tflite, _open_tflite),
}
