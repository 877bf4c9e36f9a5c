"""Runs repeat: the seed decides them, and a resumed run equals an uninterrupted one to the bit."""

from __future__ import annotations

import csv
import logging
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from classifier.learning.settings import Adaptation, TrainingSettings
from synth_engine import Recipe, Synthesizer
from synth_engine.errors import RunError
from synth_engine.training.run_folder import RunFolder

keras = pytest.importorskip("keras")
tf = pytest.importorskip("tensorflow")

from classifier.learning.batches import Source  # noqa: E402
from classifier.reading.reader import MODEL  # noqa: E402
from classifier.run.session import RunPlan, Session  # noqa: E402

SMALL = TrainingSettings(width=2, depth=2, batch_size=4, steps=4, warmup_steps=1, log_steps=2,
                 adaptation=Adaptation(rounds=2, steps=4, warmup_steps=1, certainty_min=0.0))  # fmt: skip


def run(folder: Path, recipe: Recipe, settings: TrainingSettings, *, real: int = 0) -> list[Any]:
    """Weights after a run, adapted to ``real`` images of the recipe that stand for real ones."""
    keras.utils.set_random_seed(settings.seed)
    images = Synthesizer(recipe, 99).batch(0, real).images if real else None
    plan = RunPlan(settings=settings, source=Source(recipe=recipe, seed=settings.seed), real=images)
    Session.of(plan).train(RunFolder.create(folder, plan.config(), resume=folder.exists()))
    return list(keras.models.load_model(folder / MODEL).get_weights())


@contextmanager
def interrupted_at(start: str) -> Iterator[None]:
    """Ctrl-C at the first log line that starts so."""

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.getMessage().startswith(start):
                signal.raise_signal(signal.SIGINT)

    log, handler = logging.getLogger("classifier"), Handler()
    log.addHandler(handler)
    try:
        yield
    finally:
        log.removeHandler(handler)


def equal(one: list[Any], other: list[Any]) -> bool:
    return all(np.array_equal(*pair) for pair in zip(one, other, strict=True))


@pytest.mark.parametrize(
    ("network", "real", "at", "parts"),
    [
        ("four-head", 0, "train 4/4", {}),
        ("grid", 6, "round 2", {}),
        ("grid", 6, "adapt 3/4", {"information": 1.0}),
    ],
)
def test_a_resumed_run_equals_an_uninterrupted_one(
    tiny: Recipe,
    tmp_path: Path,
    network: str,
    real: int,
    at: str,
    parts: dict[str, float],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO")
    settings = replace(SMALL, network=network, log_steps=1, adaptation=replace(SMALL.adaptation, **parts))
    whole = run(tmp_path / "whole", tiny, settings, real=real)
    stopped = r"stopped at step \d+; saved .*; go on with --resume"
    with interrupted_at(at), pytest.raises(KeyboardInterrupt, match=stopped):
        run(tmp_path / "parts", tiny, settings, real=real)
    assert equal(whole, run(tmp_path / "parts", tiny, settings, real=real))
    rows = [[row[:3] for row in csv.reader((tmp_path / name / "metrics.csv").open())] for name in ("whole", "parts")]
    assert rows[0] == rows[1]


def test_another_seed_is_another_run(tiny: Recipe, tmp_path: Path) -> None:
    settings = replace(SMALL, steps=1)
    one, other = (run(tmp_path / str(seed), tiny, replace(settings, seed=seed)) for seed in (1, 2))
    assert not equal(one, other)


def test_a_loss_that_is_no_number_stops_the_run(tiny: Recipe, tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"loss is nan .*lower the learning rate"):
        run(tmp_path / "run", tiny, replace(SMALL, learning_rate=1e30, steps=10))


def test_a_truncated_checkpoint_is_passed_over_and_named(
    tiny: Recipe, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    whole = run(tmp_path / "whole", tiny, SMALL)
    run(tmp_path / "parts", tiny, SMALL)
    newest = tmp_path / "parts" / "checkpoints" / "train" / "ckpt-4.data-00000-of-00001"
    newest.write_bytes(newest.read_bytes()[:-300])
    assert equal(whole, run(tmp_path / "parts", tiny, SMALL))
    assert "passed over a damaged checkpoint" in caplog.text


def test_a_full_disk_is_an_error_that_says_so(tiny: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fill(*_: object, **__: object) -> None:
        raise tf.errors.ResourceExhaustedError(None, None, "ckpt; No space left on device")

    monkeypatch.setattr(tf.train.CheckpointManager, "save", fill)
    with pytest.raises(RunError, match=r"a checkpoint could not be written: No space left.*free some space"):
        run(tmp_path / "run", tiny, SMALL)


def test_no_steps_need_a_network_to_go_on_from(tiny: Recipe) -> None:
    with pytest.raises(RunError, match="name one to go on from: --start-from FILE"):
        RunPlan(settings=replace(SMALL, steps=0), source=Source(recipe=tiny, seed=0))
