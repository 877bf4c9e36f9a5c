"""A whole run: its files, resuming to the bit, and what it says and keeps when something goes wrong."""

from __future__ import annotations

import csv
import errno
import json
import re
import signal
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

tf = pytest.importorskip("tensorflow")

import keras  # noqa: E402

from gan.run.callbacks import Metrics  # noqa: E402
from gan.run.report import animate, summary  # noqa: E402
from gan.run.run import RefinerRun, Workers  # noqa: E402
from gan.settings.config import _PRESETS, Config  # noqa: E402
from gan.simgan.label_judge import LabelJudge  # noqa: E402
from gan.simgan.model import SimGAN, build_simgan  # noqa: E402
from gan.train import train  # noqa: E402
from synth_engine import Recipe, Synthesizer  # noqa: E402
from synth_engine.cli.guard import main_guard  # noqa: E402
from synth_engine.errors import RunError  # noqa: E402
from synth_engine.training.precision import PRECISIONS  # noqa: E402
from synth_engine.training.refinement_report import RefinerMetrics  # noqa: E402
from synth_engine.training.run_folder import RunFolder  # noqa: E402

SMALL = Config.preset(
    "modern", features=8, blocks=1, batch_size=4, history_batches=2, discriminator_pretrain_steps=1, steps=4,
    report_steps=1, sheet_steps=1, checkpoint_steps=1, assess_steps=2, assessed_images=4, read_images=4,
    two_sample_steps=1,
)  # fmt: skip


def training(
    folder: Path, recipe: Recipe, config: Config = SMALL, *, resume: bool = False, eager: bool = True,
    reader: LabelJudge | None = None,
) -> RefinerRun:  # fmt: skip
    """A run of a few steps, ``eager`` where its graphs would take longer to make than to run."""
    run = RunFolder.create(folder, config.as_dict(), resume=resume)
    images = Synthesizer(recipe, 99).batch(0, 10).images
    made = RefinerRun(config, recipe, images, run, Workers(), judge=reader)
    made.model.run_eagerly = eager
    if resume:
        made.resume()
    return made


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open() as file:
        return list(csv.DictReader(file))


def state(made: RefinerRun) -> list[np.ndarray]:
    model = made.model
    networks = (model.refiner, model.averaged, model.discriminator)
    weights = [w for network in networks for w in network.get_weights()]
    others = (model.buffer.images, model.buffer.generator.state, model.discriminator_input.generator.state)
    others += tuple(model.label_weights.variables)
    return [*weights, *(np.asarray(held) for held in others)]


def reader_of(recipe: Recipe) -> LabelJudge:
    images = keras.Input((*recipe.shape, 1))
    scores = keras.layers.Dense(recipe.length_max * len(recipe.alphabet))(keras.layers.Flatten()(images))
    return LabelJudge(
        keras.Model(images, keras.layers.Reshape((recipe.length_max, len(recipe.alphabet)))(scores)), recipe
    )


def act_at(step: int, act: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Call ``act`` at the end of that step."""
    save = RefinerRun._save_sheets

    def save_and_act(self: RefinerRun) -> None:
        save(self)
        if int(self.model.step) == step:
            act(self)

    monkeypatch.setattr(RefinerRun, "_save_sheets", save_and_act)


def fail_with(number: int) -> Any:
    def fail(*_: object, **__: object) -> None:
        raise OSError(number, "No space left on device")

    return fail


@pytest.mark.parametrize("precision", PRECISIONS)
def test_a_run_stopped_by_ctrl_c_and_resumed_equals_an_uninterrupted_one(
    tiny: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, precision: str
) -> None:
    config, reader = SMALL.replace(discriminator_pretrain_steps=0, precision=precision), reader_of(tiny)
    whole = training(tmp_path / "whole", tiny, config, eager=False, reader=reader)
    whole.train()
    weights = whole.model.label_weights
    assert float(weights.common) < config.label_weight or float(tf.reduce_max(weights.factors)) > 1
    with monkeypatch.context() as patch:
        act_at(2, lambda _: signal.raise_signal(signal.SIGINT), patch)
        with pytest.raises(KeyboardInterrupt, match="stopped at step 2; saved"):
            training(tmp_path / "parts", tiny, config, eager=False, reader=reader).train()
    resumed = training(tmp_path / "parts", tiny, config, resume=True, eager=False, reader=reader)
    assert int(resumed.model.step) == 2
    resumed.train()
    for expected, received in zip(state(whole), state(resumed), strict=True):
        np.testing.assert_array_equal(received, expected)
    assert [row["step"] for row in rows_of(tmp_path / "parts" / "metrics.csv")] == ["1", "2", "3", "4"]
    assert (tmp_path / "parts" / "assessment.csv").read_bytes() == (tmp_path / "whole" / "assessment.csv").read_bytes()


def test_a_reader_is_asked_about_images_of_its_own_number(tiny: Recipe, tmp_path: Path) -> None:
    judged = training(tmp_path / "run", tiny, SMALL.replace(read_images=9), reader=reader_of(tiny))
    assert (len(judged.synthetic), len(judged.held_out)) == (9, 2)
    judged.train()
    assert all(
        row["label_preservation_worst"] and row["kernel_distance"]
        for row in rows_of(tmp_path / "run" / "assessment.csv")
    )


def test_the_pace_tells_waiting_for_data_from_training(tiny: Recipe, tmp_path: Path) -> None:
    whole = training(tmp_path / "run", tiny, SMALL, eager=False)
    batch = tf.zeros((1, SMALL.batch_size, *tiny.shape), tf.uint8)
    ready = tf.data.Dataset.from_tensors((batch, batch)).repeat()
    late = ready.map(lambda *pair: (tf.numpy_function(lambda: time.sleep(0.3), [], []), pair)[1])
    whole.model.enter("discriminator")
    for name, data in (("ready", ready), ("late", late)):
        metrics = Metrics(tmp_path / f"{name}.csv", whole.checkpoints, 9, SMALL.batch_size)
        whole.model.fit(data, epochs=2, steps_per_epoch=3, verbose=0, shuffle=False, callbacks=[metrics])
    first, late = (rows_of(tmp_path / f"{name}.csv")[0] for name in ("ready", "late"))
    assert float(first["waited_share"]) < 0.5 * float(late["waited_share"]) <= 0.5
    assert float(late["images_per_s"]) <= SMALL.batch_size / 0.25
    assert float(first["images_per_s"]) > 2 * float(late["images_per_s"])


def test_a_killed_run_writes_the_refiner_that_it_had_chosen_before(
    tiny: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = SMALL.replace(assess_steps=1, checkpoint_steps=2, discriminator_pretrain_steps=0, ema_decay=0.5)
    monkeypatch.setattr("gan.simgan.best_step.may_be_chosen", lambda metrics: metrics.step == 2)
    whole = training(tmp_path / "whole", tiny, config)
    whole.train()
    with monkeypatch.context() as patch:
        act_at(3, fail_with(0), patch)  # after step 3 was assessed, and no checkpoint since step 2
        with pytest.raises(OSError, match="No space"):
            training(tmp_path / "parts", tiny, config).train()
    resumed = training(tmp_path / "parts", tiny, config, resume=True)
    resumed.train()
    for name in ("assessment.csv", "assessment.json", "sheet.png"):
        assert (tmp_path / "parts" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    written = [keras.models.load_model(tmp_path / run / "refiner.keras").get_weights() for run in ("whole", "parts")]
    for one, other, last in zip(*written, resumed.model.averaged.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
        assert not np.array_equal(one, last)
    assert json.loads((tmp_path / "whole" / "assessment.json").read_text())["chosen"]["step"] == 2


def test_the_report_stands_alone_with_curves_targets_and_a_film_of_the_sheets(tiny: Recipe, tmp_path: Path) -> None:
    training(tmp_path, tiny).train()
    page = (tmp_path / "report.html").read_text()
    assert not re.findall(r'(?:src|href)="(?!data:)', page)
    assert page.count("data:image/png;base64") > 5
    assert "<td>assess_steps<td>2" in page
    assert "lowest two-sample accuracy" in page
    assert "data:image/gif;base64" in page
    assert [path.stem for path in sorted((tmp_path / "sheets").iterdir())] == [f"{step:07}" for step in range(1, 6)]


def test_assessments_count_from_the_first_adversarial_step(tiny: Recipe, tmp_path: Path) -> None:
    training(tmp_path, tiny).train()
    assert [row["step"] for row in rows_of(tmp_path / "assessment.csv")] == ["3", "5"]


def test_a_film_shows_every_sheet_in_order(tmp_path: Path) -> None:
    frames = [tmp_path / f"{k}.png" for k in range(3)]
    for k, frame in enumerate(frames):
        Image.new("L", (8, 6), 80 * k).save(frame)
    animate(frames, tmp_path / "film.gif")
    film = Image.open(tmp_path / "film.gif")
    assert [film.seek(k) or film.convert("L").getpixel((0, 0)) for k in range(film.n_frames)] == [0, 80, 160]


def test_a_damaged_checkpoint_is_passed_over_and_named(
    tiny: Recipe, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    made = training(tmp_path / "run", tiny)
    newest = Path(made.checkpoints.save())
    made.model.step.assign(1)
    newest = Path(made.checkpoints.save())
    data = newest.with_name(newest.name + ".data-00000-of-00001")
    data.write_bytes(data.read_bytes()[:-200])
    (newest.parent / "ckpt-2_temp").mkdir()
    resumed = training(tmp_path / "run", tiny, resume=True)
    assert int(resumed.model.step) == 0
    assert f"passed over a damaged checkpoint, {newest} (" in caplog.text
    assert not list(newest.parent.glob("*_temp"))


def test_if_every_checkpoint_is_damaged_the_run_does_not_start_over(tiny: Recipe, tmp_path: Path) -> None:
    saved = Path(training(tmp_path / "run", tiny).checkpoints.save())
    saved.with_name(saved.name + ".data-00000-of-00001").write_bytes(b"")
    with pytest.raises(RunError, match=r"no checkpoint can be read.*start a new run"):
        training(tmp_path / "run", tiny, resume=True)


def test_a_loss_that_is_not_finite_stops_the_run_and_names_step_and_checkpoint(
    tiny: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def spoil(made: RefinerRun) -> None:
        kernel = made.model.discriminator.trainable_variables[-1]
        kernel.assign(kernel * np.nan)

    act_at(3, spoil, monkeypatch)
    with pytest.raises(RunError, match=r"(?s)not? .*finite.*step 3.*last checkpoint is .*ckpt-2.*--resume"):
        training(tmp_path / "run", tiny).train()


def test_nan_in_the_logs_is_named(tiny: Recipe, tmp_path: Path) -> None:
    made = training(tmp_path / "run", tiny, SMALL.replace(checkpoint_steps=100))
    made.model.refiner.trainable_variables[-1].assign([np.nan] * 4)
    with pytest.raises(RunError, match=r"received NaN or infinity for .* at step 2; lower.*no checkpoint yet"):
        made.train()


def test_a_full_disk_stops_the_run_and_keeps_the_last_checkpoint(
    tiny: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill = fail_with(errno.ENOSPC)
    act_at(3, lambda made: monkeypatch.setattr(made.checkpoints.manager, "save", fill), monkeypatch)
    with pytest.raises(RunError, match=r"a checkpoint could not be written: No space left.*free some space.*ckpt-2"):
        training(tmp_path / "run", tiny).train()
    resumed = training(tmp_path / "run", tiny, resume=True)
    assert int(resumed.model.step) == 2


@pytest.mark.parametrize("name", ["metrics.csv", "sheet.png", "refiner.keras"])
def test_a_full_disk_leaves_no_half_file(
    name: str, tiny: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = training(tmp_path / "run", tiny, SMALL.replace(steps=1, discriminator_pretrain_steps=0))
    replaced = "synth_engine.atomic.os.replace"
    monkeypatch.setattr(replaced, lambda _, to: fail_with(errno.ENOSPC)() if str(to).endswith(name) else None)
    with pytest.raises(RunError, match=f"{name} could not be written: No space left.*free some space"):
        made.train()
    assert [path.name for path in (tmp_path / "run").iterdir() if name.split(".")[1] in path.name] == []


def eager_simgan(*arguments: Any) -> SimGAN:
    model = build_simgan(*arguments)
    model.run_eagerly = True
    return model


def test_the_command_leaves_its_results_and_refuses_the_folder_a_second_time(
    tiny: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(_PRESETS, "modern", SMALL)
    monkeypatch.setattr("gan.run.run.build_simgan", eager_simgan)
    (tmp_path / "real").mkdir()
    for i, image in enumerate(Synthesizer(tiny, 99).batch(0, 6).images):
        Image.fromarray(image * np.uint8(255)).save(tmp_path / "real" / f"{i}.png")
    tiny.save(tmp_path / "tiny.toml")
    places = {"--real": "real", "--recipe": "tiny.toml", "--run": "run"}
    options = [part for name, place in places.items() for part in (name, str(tmp_path / place))]
    options += ["--batch-size", "4", "--steps", "2"]
    main_guard_code(options, 0)
    shown = capsys.readouterr().out
    assert "summary: a pixel changes by" in shown
    assert "report.html" in shown
    written = {path.name for path in (tmp_path / "run").iterdir()}
    assert {"refiner.keras", "recipe.toml", "config.json", "metrics.csv", "sheet.png"} <= written
    assert Recipe.load(tmp_path / "run" / "recipe.toml") == tiny
    assert json.loads((tmp_path / "run" / "config.json").read_text())["steps"] == 2
    assert keras.models.load_model(tmp_path / "run" / "refiner.keras").input_shape == (None, *tiny.shape, 1)
    main_guard_code(options, 1)
    assert "--resume" in capsys.readouterr().err


def main_guard_code(options: list[str], expected: int) -> None:
    try:
        main_guard(train, options)
        code = 0
    except SystemExit as exit_:
        code = int(exit_.code or 0)
    assert code == expected


@pytest.mark.parametrize(
    ("values", "advice"),
    [
        ((0.01, 0.0004, 0.5, 0.5), "next to nothing was refined"),
        ((0.3, 0.1, 0.5, 0.5), "erase"),
        ((0.05, 0.02, 0.99, 0.97), "still differ"),
    ],
)
def test_the_summary_says_when_refinement_failed(values: tuple[float, float, float, float], advice: str) -> None:
    assert advice in summary(metrics_of(*values))
    assert advice not in summary(metrics_of(0.05, 0.02, 0.6, 0.6))


def metrics_of(mean_change: float, changed_pixels: float, on_real: float, on_refined: float) -> RefinerMetrics:
    return RefinerMetrics(
        step=1, mean_change=mean_change, changed_pixels=changed_pixels, accuracy_real=on_real,
        accuracy_refined=on_refined, two_sample_accuracy=0.6, two_sample_accuracy_raw=0.8, relative_deviation=1.0,
    )  # fmt: skip


def test_the_newest_two_checkpoints_are_kept(tiny: Recipe, tmp_path: Path) -> None:
    made = training(tmp_path / "run", tiny)
    for step in range(4):
        made.model.step.assign(step)
        made.checkpoints.save()
    assert [Path(path).name for path in made.checkpoints.manager.checkpoints] == ["ckpt-2", "ckpt-3"]
    assert not list((tmp_path / "run" / "checkpoints").glob("ckpt-1*"))
