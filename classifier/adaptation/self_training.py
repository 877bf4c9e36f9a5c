"""Adaptation to unlabelled real images: their batch-norm statistics, then rounds of self-training.

In each round the teacher (the moving average) reads the images of the round, once as they are and once warped.
Characters that both views agree on and that `pseudo_labels.choose` accepts teach the student. Half of each batch is
synthetic, which keeps the student from drifting. With the information loss doubtful characters teach too: it rewards
confident readings with balanced classes. Nothing here, or anything it imports, reads a label of a real image.
"""

from __future__ import annotations

import logging
import time
import zlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from classifier.adaptation.pseudo_labels import RoundScores, choose
from classifier.learning.augmentation import unwarp_points
from classifier.learning.batches import Lesson, Source, open_batches
from classifier.learning.learner import Learner, recalibrate, warped_view
from classifier.learning.lesson import PseudoLabels
from classifier.learning.phase import FitPhase, RunContext
from classifier.learning.settings import TrainingSettings
from classifier.networks.readings import Readings, join
from classifier.reading.class_shares import expected_shares
from classifier.reading.reader import Reader
from synth_engine.atomic import write_with
from synth_engine.errors import RunError
from synth_engine.real.selection import pass_indices

PRESENCE_MIN = 0.2  # lower than for reading: a doubtful character must not be taught as blank
PSEUDO = "pseudo-labels"

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Split:
    """How many images of a batch are synthetic and how many real."""

    synthetic: int
    real: int

    @classmethod
    def of(cls, batch_size: int, real_share: float) -> Split:
        """At least one synthetic and one real image."""
        real = min(max(1, round(batch_size * real_share)), max(1, batch_size - 1))
        return cls(max(1, batch_size - real), real)


def adapt(
    learner: Learner,
    images: NDArray[np.uint8],
    source: Source,
    context: RunContext,
    *,
    minutes: float | None = None,
) -> list[RoundScores]:
    """Adapt ``learner`` to real ``images`` (N, H, W) uint8 {0, 1} as its settings say; returns the rounds' scores.

    ``minutes`` ends it after the round in which they have passed. A resumed run cannot repeat that exactly.
    """
    settings = learner.settings.adaptation
    if settings.method == "statistics":
        recalibrate(learner.teacher, images)
    if not settings.teaches:
        return []
    learner.salt = 1
    phase = FitPhase(
        learner,
        context,
        "adapt",
        steps=settings.steps,
        peak_rate=settings.learning_rate,
        warmup_steps=settings.warmup_steps,
    )
    if not phase.resumed:
        begin(learner, images)
        phase.checkpoints.save()
    deadline = time.monotonic() + (float("inf") if minutes is None else 60 * minutes)
    rounds = _Rounds(phase, images, source, context)
    return list(rounds.scores(deadline))


def begin(learner: Learner, images: NDArray[np.uint8]) -> None:
    """Start the student from the average, with batch-norm statistics of the real images."""
    recalibrate(learner.teacher, images)
    learner.student.set_weights(learner.teacher.get_weights())


class _Rounds:
    """The rounds of one adaptation. Each keeps its pseudo-labels in a file, so that a resumed one teaches the same."""

    def __init__(self, phase: FitPhase, images: NDArray[np.uint8], source: Source, context: RunContext) -> None:
        self._phase, self._images, self._source = phase, images, source
        self._learner, self._folder = phase.learner, context.run / PSEUDO
        self._expected = expected_shares(source.recipe, source.seed)
        self._split = Split.of(self._learner.settings.batch_size, self._learner.settings.adaptation.real_share)

    def scores(self, deadline: float) -> Iterator[RoundScores]:
        """Run the remaining rounds, until ``deadline`` (monotonic seconds)."""
        settings = self._learner.settings.adaptation
        ends = np.linspace(0, settings.steps, settings.rounds + 1).round().astype(int)
        for number, (start, end) in enumerate(pairwise(ends.tolist())):
            if self._phase.step < end:
                yield self._round(number, start, end)
            if time.monotonic() > deadline:
                log.info(f"adaptation ends after round {number + 1} of {settings.rounds}: its time has passed")
                return

    def _round(self, number: int, start: int, end: int) -> RoundScores:
        seed = self._learner.settings.seed
        count = min(len(self._images), (end - start) * self._split.real)
        picked = pass_indices(len(self._images), number * count, count, seed)
        pseudo, scores = self._pseudo_labels(number, self._images[picked])
        log.info(f"round {number + 1}: {scores.line(self._source.recipe.alphabet)}")
        step = self._phase.step
        real = Lesson(self._images[picked], pseudo).dataset(self._split.real, seed + number, step - start, end - start)
        first = _after_training(self._learner, self._split) + step
        with open_batches(self._source, self._split.synthetic, first, end - step, real) as batches:
            self._phase.fit(batches, end, self._learner.settings.batch_size)
        return scores

    def _pseudo_labels(self, number: int, images: NDArray[np.uint8]) -> tuple[PseudoLabels, RoundScores]:
        path = self._folder / f"round-{number + 1:02}.npz"
        if path.is_file():
            return _load(path)
        settings = self._learner.settings.adaptation
        progress = number / max(1, settings.rounds - 1)
        keep = settings.keep_first + (settings.keep_last - settings.keep_first) * progress
        teacher = Reader.of(self._learner.teacher, self._source.recipe, precision=self._learner.settings.precision)
        first, second = read_views(teacher, images, self._learner.settings, number)
        chosen = choose(first, second, self._expected, settings, keep)
        _save(path, *chosen)
        return chosen


def rounds_of(run: Path) -> list[RoundScores]:
    """The scores of the rounds of self-training in a run's folder."""
    return [_load(path)[1] for path in sorted((run / PSEUDO).glob("round-*.npz"))]


def read_views(
    teacher: Reader, images: NDArray[np.uint8], settings: TrainingSettings, salt: int
) -> tuple[Readings, Readings]:
    """Readings of ``images`` as they are, and warped; the points of both are in the unwarped frame."""
    parts = []
    for start in range(0, len(images), teacher.batch_size):
        part = images[start : start + teacher.batch_size]
        warped, warp = warped_view(part, (settings.seed % 2**31, salt * 2**20 + start), settings.adaptation.view)
        first = teacher.read(part, presence_min=PRESENCE_MIN)
        second = teacher.read_scaled(warped.numpy(), presence_min=PRESENCE_MIN)
        points = unwarp_points(second.points, warp, teacher.recipe.shape).numpy()
        parts.append((first, replace(second, points=points)))
    firsts, seconds = zip(*parts, strict=True)
    return join(list(firsts)), join(list(seconds))


def _after_training(learner: Learner, split: Split) -> int:
    """Index of the first batch of synthetic samples that the first phase did not use."""
    return -(-learner.settings.steps * learner.settings.batch_size // split.synthetic)


def _save(path: Path, pseudo: PseudoLabels, scores: RoundScores) -> None:
    arrays = {**vars(pseudo), **{f"score_{name}": np.asarray(value) for name, value in asdict(scores).items()}}
    write_with(path, lambda temporary: np.savez_compressed(temporary, **arrays))


def _load(path: Path) -> tuple[PseudoLabels, RoundScores]:
    """What `_save` wrote; raises RunError if it is damaged."""
    try:
        with np.load(path, allow_pickle=False) as stored:
            pseudo = PseudoLabels(**{name: stored[name] for name in ("labels", "points", "weights", "costs")})
            scores = {name.removeprefix("score_"): stored[name] for name in stored.files if name.startswith("score_")}
        return pseudo, RoundScores(**{name: value.item() for name, value in scores.items()})
    except (ValueError, TypeError, LookupError, EOFError, BadZipFile, zlib.error) as error:
        raise RunError(
            f"{path} is damaged ({error}): expected the pseudo-labels of a round; remove it and go on with --resume",
            path,
        ) from error
