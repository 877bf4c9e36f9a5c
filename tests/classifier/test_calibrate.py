"""Readers calibrated on unlabelled images, alone and with a second reader."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from classifier.networks.readings import Readings
from classifier.reading.calibration import CALIBRATION, Calibration
from synth_engine import Recipe, Synthesizer
from synth_engine.errors import ModelError


def quick_network(recipe: Recipe, seed: int) -> Any:
    """A network that reads most of ``recipe``'s images after a second or two."""
    keras = pytest.importorskip("keras")
    from synth_engine.training.value_range import to_network

    keras.utils.set_random_seed(seed)
    batch = Synthesizer(recipe, seed).batch(0, 2048)
    inputs = keras.Input((*recipe.shape, 1))
    hidden = keras.layers.Dense(64, activation="relu")(keras.layers.Flatten()(inputs))
    heads = keras.layers.Reshape((recipe.length, len(recipe.alphabet)))(keras.layers.Dense(10)(hidden))
    network = keras.Model(inputs, heads)
    network.compile(keras.optimizers.Adam(3e-3), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    network.fit(to_network(batch.images), batch.labels, batch_size=64, epochs=10, verbose=0)
    return network


def test_a_second_reader_that_disagrees_on_real_images_lowers_confidence(tiny: Recipe, tmp_path: Path) -> None:
    pytest.importorskip("keras")
    from classifier.confidence.calibrating import calibrate
    from classifier.reading.reader import Reader

    class Contrary(Reader):
        """Reads every character of an image with ink in its corner as the class after."""

        def read(self, images: np.ndarray, **options: float) -> Readings:
            found, marked = super().read(images, **options), images[:, :1, 0] == 1
            return replace(found, codes=np.where(marked, (found.codes + 1) % 5, found.codes).astype(np.uint8))

    first, second = Reader.of(quick_network(tiny, 0), tiny), Contrary.of(quick_network(tiny, 1), tiny)
    model, images, confidence = first.save(tmp_path), Synthesizer(tiny, 3).batch(0, 256).images, []
    images[:128, 0, 0] = 1
    for other in (None, second):
        calibrate(first, images, model, other)
        confidence.append(Reader.load(model).read(images).confidence().mean())
    assert confidence[1] < confidence[0] - 0.1
    assert Calibration.load(tmp_path / CALIBRATION).second_agreement == pytest.approx(
        (first.read(images).codes == second.read(images).codes).all(axis=1).mean(), abs=1e-4
    )


def test_the_command_takes_a_second_reader_but_not_the_same(tiny: Recipe, tmp_path: Path) -> None:
    keras = pytest.importorskip("keras")
    from classifier.calibrate import main
    from classifier.networks.heads import build
    from classifier.reading.reader import save_reader

    models = []
    for seed in (0, 1):
        keras.utils.set_random_seed(seed)
        (tmp_path / str(seed)).mkdir()
        models.append(save_reader(build("grid", tiny, width=4, depth=2), tiny, tmp_path / str(seed)))
    (tmp_path / "images").mkdir()
    for k, image in enumerate(Synthesizer(tiny, 3).batch(0, 4).images):
        Image.fromarray(image * 255).save(tmp_path / "images" / f"image{k}.png")
    arguments = [str(tmp_path / "images"), "--model", str(models[0]), "--second"]
    with pytest.raises(ModelError, match="one and the same"):
        CliRunner().invoke(main, [*arguments, str(models[0])], catch_exceptions=False)
    result = CliRunner().invoke(main, [*arguments, str(models[1])], catch_exceptions=False)
    assert f"two readers on {Calibration.load(tmp_path / '0' / CALIBRATION).second_agreement:.1%}" in result.output
    assert "4 read, 0 damaged" in result.stderr
    for damaged in (tmp_path / "0" / CALIBRATION, tmp_path / "1" / CALIBRATION):  # neither file is needed to begin with
        damaged.write_text('{"temperature": 1}')
    CliRunner().invoke(main, [*arguments, str(models[1])], catch_exceptions=False)
    assert Calibration.load(tmp_path / "0" / CALIBRATION).second_agreement is not None


def test_all_images_that_are_given_count(tiny: Recipe) -> None:
    keras = pytest.importorskip("keras")
    from classifier.confidence.calibrating import calibration_for
    from classifier.networks.heads import build
    from classifier.reading.reader import Reader

    keras.utils.set_random_seed(0)
    reader = Reader.of(build("grid", tiny, width=4, depth=2), tiny)
    images = np.broadcast_to(Synthesizer(tiny, 3).batch(0, 1).images, (4100, *tiny.shape))
    assert calibration_for(reader, images, synthetic=64).images == 4100


def test_a_calibration_belongs_to_one_model(tiny: Recipe, tmp_path: Path) -> None:
    keras = pytest.importorskip("keras")
    from classifier.confidence.calibrating import calibrate
    from classifier.networks.heads import build
    from classifier.reading.reader import Reader

    keras.utils.set_random_seed(0)
    reader = Reader.of(build("grid", tiny, width=4, depth=2), tiny, batch_size=32)
    model = reader.save(tmp_path)
    images = Synthesizer(tiny, 3).batch(0, 64).images
    written = calibrate(reader, images, model)
    fitted = Reader.load(model)
    assert fitted.calibration is not None
    assert fitted.calibration == written
    assert "of 64 texts" in written.line()
    calm = replace(fitted.calibration, temperature=5.0)
    expected = calm.apply(reader.read(images)).certainty
    assert replace(fitted, calibration=calm).read(images).certainty == pytest.approx(expected, abs=1e-5)
    (tmp_path / CALIBRATION).write_text('{"temperature": 1}')
    with pytest.raises(ModelError, match=r"make it again with classifier\.calibrate"):
        Reader.load(model)
    replace(fitted.calibration, model="another").save(tmp_path)
    with pytest.raises(ModelError, match="calibration of another network"):
        Reader.load(model)
    reader.save(tmp_path)
    assert Reader.load(model).calibration is None
