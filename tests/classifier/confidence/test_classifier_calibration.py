"""Confidence fitted to images without labels: from agreement of views, and from classes that are read too often."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from classifier.confidence.fitting import Looks, along_the_line, class_ceilings, fit, temperature_for
from classifier.networks.readings import Readings
from classifier.reading.calibration import CALIBRATION, Calibration, soften
from synth_engine import Recipe, Synthesizer
from synth_engine.errors import ModelError
from synth_engine.json_files import write_json
from synth_engine.samples import PADDING

CLASSES = 10
UNIFORM = np.full(CLASSES, 1 / CLASSES, np.float32)


def readings(codes: np.ndarray, certainty: float | np.ndarray) -> Readings:
    shape = codes.shape
    sure = np.broadcast_to(np.float32(certainty), shape).astype(np.float32)
    nothing = np.zeros((*shape, 2), np.float32)
    return Readings(codes=codes.astype(np.uint8), certainty=sure, points=nothing, scores=nothing)


def looks(true: np.ndarray, hard: float, certainty: float, seed: int = 5) -> Looks:
    """A reader for whom a share of the characters is ``hard``: it tosses a coin between two classes at each look."""
    draws = np.random.default_rng(seed)
    doubtful, other = np.random.default_rng(4).random(true.shape) < hard, (true + 1) % CLASSES
    read = [np.where(doubtful & (draws.random(true.shape) < 0.5), other, true) for _ in range(3)]
    return Looks(plain=readings(read[0], certainty), views=[readings(codes, certainty) for codes in read[1:]])


def test_a_boastful_reader_is_brought_to_what_it_gets_right() -> None:
    true = np.random.default_rng(9).integers(0, CLASSES, (4000, 4))
    synthetic, real = looks(true, 0.02, 0.999), looks(true[::-1], 0.2, 0.999)
    calibration = fit(real, synthetic, true.astype(np.uint8), UNIFORM)
    right = (real.plain.codes == true[::-1]).all(axis=1).mean()
    assert real.plain.confidence().mean() > right + 0.25
    assert calibration.apply(real.plain).confidence().mean() == pytest.approx(right, abs=0.03)


def test_a_class_read_too_often_is_trusted_no_further_than_it_occurs() -> None:
    codes = np.concatenate([np.tile(np.arange(1, CLASSES), 1000), np.zeros(3000, int)])  # 0 swallows two others
    ceilings = class_ceilings(codes, UNIFORM)
    assert ceilings[0] == pytest.approx(0.1 * len(codes) / 3000, rel=0.01)
    assert (ceilings[1:] == 1).all()


def test_chance_alone_sets_no_ceiling() -> None:
    lowest = [class_ceilings(np.random.default_rng(k).integers(0, CLASSES, 2000), UNIFORM).min() for k in range(20)]
    assert np.median(lowest) > 0.97


@given(st.floats(0.02, 0.98), st.floats(0.4, 4))
def test_softening_keeps_the_order_and_can_be_undone(certainty: float, temperature: float) -> None:
    both = np.array([certainty, certainty + 0.005], np.float32)
    softened = soften(both, temperature)
    assert softened[0] < softened[1]
    assert soften(softened, 1 / temperature) == pytest.approx(both, abs=1e-3)


def test_the_temperature_meets_the_share() -> None:
    certainty = np.random.default_rng(1).uniform(0.7, 1, (500, 3)).astype(np.float32)
    for share in (0.4, 0.8):
        softened = soften(certainty, temperature_for(certainty, share))
        assert softened.prod(axis=1).mean() == pytest.approx(share, abs=1e-3)


def test_a_view_that_costs_nothing_or_much_moves_the_estimate() -> None:
    assert along_the_line(0.9, 0.95, 0.95) == pytest.approx(0.9)
    assert along_the_line(0.9, 0.90, 0.95) == pytest.approx(0.95)


def test_a_second_seed_finds_the_errors_that_views_repeat() -> None:
    true = np.random.default_rng(9).integers(0, CLASSES, (4000, 4))
    tossed = [looks(true, 0.3, 0.999, seed).plain for seed in (5, 6)]
    calm = looks(true, 0.02, 0.999)
    synthetic = replace(calm, second=calm.views[0])
    blind = Looks(plain=tossed[0], views=[tossed[0]])  # views of one network that waver with it
    both_seeds, labels = replace(blind, second=tossed[1]), true.astype(np.uint8)
    alone, both = (fit(real, synthetic, labels, UNIFORM) for real in (blind, both_seeds))
    right = (tossed[0].codes == true).all(axis=1).mean()
    assert alone.estimate > right + 0.25
    assert both.estimate == pytest.approx(right, abs=0.03)
    assert alone.second_agreement is None
    assert both.second_agreement == pytest.approx((tossed[0].codes == tossed[1].codes).all(axis=1).mean(), abs=1e-4)


def test_a_second_seed_never_makes_surer() -> None:
    true = np.random.default_rng(9).integers(0, CLASSES, (4000, 4))
    synthetic, real = looks(true, 0.02, 0.999), looks(true, 0.2, 0.999)
    same, second = replace(real, second=real.plain), replace(synthetic, second=synthetic.views[0])
    labels = true.astype(np.uint8)
    assert fit(same, second, labels, UNIFORM).estimate == fit(real, synthetic, labels, UNIFORM).estimate


def test_seeds_that_agree_on_every_synthetic_image_cost_no_more_than_so_many_can_show() -> None:
    true = np.random.default_rng(9).integers(0, CLASSES, (2000, 4))
    slip, other = true.copy(), true.copy()
    slip[0], other[:200] = (true[0] + 1) % CLASSES, (true[:200] + 1) % CLASSES  # 1 in 2,000 and 200 of them
    same, apart = readings(slip, 0.9), readings(other, 0.9)
    synthetic, real = Looks(plain=same, views=[same], second=same), Looks(plain=same, views=[same], second=apart)
    assert 0.85 < fit(real, synthetic, true.astype(np.uint8), UNIFORM).estimate < 0.9


def test_texts_and_padding_stay() -> None:
    codes = np.array([[1, 2, PADDING]])
    calibration = Calibration(temperature=2.0, ceilings=(0.5,) * 4, agreement=0.5, estimate=0.5, images=1)
    applied = calibration.apply(readings(codes, np.array([[0.9, 0.9, 1.0]])))
    assert applied.codes.tolist() == codes.tolist()
    assert applied.certainty == pytest.approx(np.array([[0.375, 0.375, 1.0]]))


def test_what_is_saved_is_loaded_with_a_second_reader_or_without(tmp_path: Path) -> None:
    alone = Calibration(temperature=2.0, ceilings=(1.0,), agreement=0.5, estimate=0.5, images=9, model="m")
    both = replace(alone, second_agreement=0.25)
    assert [Calibration.load(each.save(tmp_path)) for each in (alone, both)] == [alone, both]
    assert "two readers" not in alone.line()
    assert "two readers on 25.0%" in both.line()


def test_a_file_without_a_version_is_refused_with_the_remedy(tmp_path: Path) -> None:
    (tmp_path / CALIBRATION).write_text(
        '{"temperature": 2.0, "ceilings": [1.0], "agreement": 0.5, "estimate": 0.5, "images": 9, "model": "m"}'
    )
    with pytest.raises(ModelError, match=r"no `format_version`.*make it again with classifier\.calibrate"):
        Calibration.load(tmp_path / CALIBRATION)


def test_a_file_with_a_value_of_another_type_is_refused(tmp_path: Path) -> None:
    write_json(tmp_path / CALIBRATION, "calibration", {"temperature": "warm"})
    with pytest.raises(ModelError, match=r"is damaged .*make it again with classifier\.calibrate"):
        Calibration.load(tmp_path / CALIBRATION)


def quick_learner(recipe: Recipe, seed: int) -> Any:
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

    first, second = Reader.of(quick_learner(tiny, 0), tiny), Contrary.of(quick_learner(tiny, 1), tiny)
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
    for damaged in (tmp_path / "0" / CALIBRATION, tmp_path / "1" / CALIBRATION):  # neither file is needed to begin with
        damaged.write_text('{"temperature": 1}')
    CliRunner().invoke(main, [*arguments, str(models[1])], catch_exceptions=False)
    assert Calibration.load(tmp_path / "0" / CALIBRATION).second_agreement is not None


def test_it_lies_beside_its_own_model_and_no_other(tiny: Recipe, tmp_path: Path) -> None:
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
