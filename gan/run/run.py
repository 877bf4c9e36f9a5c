"""RefinerRun: a whole run: data, phases one after another, checkpoints, and at the end the refiner and its report."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from gan.assessment.assessor import Assessor
from gan.run.callbacks import (
    ASSESSMENTS_TABLE,
    COLUMNS,
    METRICS_TABLE,
    Assessments,
    Images,
    Metrics,
    Periodic,
    StepProgress,
    StopAt,
    StopOnNonFinite,
    progress_sheet,
)
from gan.run.data import hold_out, phase_batches, real_batches
from gan.run.report import PAGE, SHEET, SHEETS, refinement_report, write_report
from gan.settings.config import Config
from gan.simgan.label_judge import LabelJudge
from gan.simgan.model import SimGAN, build_simgan
from gan.simgan.networks import build_refiner, clipped
from gan.simgan.replicas import shared_gpus
from gan.simgan.schedule import SchedulePhase, phases
from synth_engine.atomic import write_with
from synth_engine.contact_sheet import save_picture
from synth_engine.errors import RunError
from synth_engine.recipe import Recipe
from synth_engine.stream import Stream, open_stream, surfacing, tf_dataset
from synth_engine.synthesizer import Synthesizer
from synth_engine.training.checkpoints import Checkpoints
from synth_engine.training.interrupt import StopOnInterrupt
from synth_engine.training.metrics import MetricsTable
from synth_engine.training.refinement_report import METRIC_COLUMNS, REFINER, RefinementReport, RefinerMetrics
from synth_engine.training.refiner import Refiner
from synth_engine.training.run_folder import RunFolder
from synth_engine.training.tensorboard import tensorboard_callbacks
from synth_engine.training.two_sample import TwoSampleTest

Progress = Callable[[int, int], object]
HELD_OUT_SEEDS = 2**32  # added to a run's seed: larger than any seed, so that no sample is also trained on

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Workers:
    """Where synthetic images are made: in threads (``count`` 0), or in Ray actors, on the cluster at ``address``."""

    count: int = 0
    address: str | None = None


class RefinerRun:
    """A run in the folder ``run``: ``real`` images (N, H, W) uint8 {0, 1} against those of ``recipe``.

    A part of the real images is held out to assess on. ``judge`` measures label preservation, and with a
    ``label_weight`` above 0 the refiner learns from it. ``progress``: called after each step with the steps done and
    those of the whole run. ``tensorboard``: whether to write summaries.
    """

    def __init__(
        self, config: Config, recipe: Recipe, real: Images, run: RunFolder, workers: Workers, *,
        judge: LabelJudge | None = None, progress: Progress | None = None, tensorboard: bool = False,
    ) -> None:  # fmt: skip
        self.config, self.recipe, self.run, self.workers = config, recipe, run, workers
        self.judge, self.progress, self.tensorboard = judge, progress, tensorboard
        self.real, self.held_out = hold_out(real, config.assessed_images)
        assessed = config.read_images if judge else config.assessed_images
        self.synthetic_seed = config.seed + HELD_OUT_SEEDS
        self.synthetic = Synthesizer(recipe, self.synthetic_seed).batch(0, assessed)
        gpus = shared_gpus(config.batch_size)
        self.model: SimGAN = build_simgan(config, recipe.shape, judge, recipe.binarize.open_px, gpus)
        self.checkpoints = Checkpoints(
            run.path / "checkpoints",
            self.model.state,
            step=self.model.step,
            weights=self.model.refiner.variables + self.model.discriminator.variables,
        )
        self.phases = phases(config)

    def resume(self) -> None:
        """Go on from the newest readable checkpoint; without any, from the beginning."""
        self.checkpoints.restore()
        log.info("resumed at step %d", self.checkpoints.step)

    def train(self) -> RefinementReport:
        """Train to the end and write the results.

        Raises KeyboardInterrupt on Ctrl-C, after saving a checkpoint; RunError if a loss is not finite or the disk is
        full; StreamError if the stream fails.
        """
        with StopOnInterrupt(self.model) as interrupt:
            for phase in self.phases:
                if self.checkpoints.step < phase.end:
                    self._fit(phase, interrupt)
                interrupt.leave_if_requested(self.checkpoints)
        self.checkpoints.save()
        return self._finish()

    def _fit(self, phase: SchedulePhase, interrupt: StopOnInterrupt) -> None:
        step, every = self.checkpoints.step, self.config.report_steps
        self.model.enter(phase.name)
        first, end = phase.real_at(step), phase.real_at(phase.end)
        real = real_batches(self.real, self.config.batch_size, self.config.seed, first, end - first)
        with self._open_stream(phase.synthetic_at(step)) as stream, surfacing(stream):
            synthetic = tf_dataset(stream)
            if not self.model.judge or phase.name != "adversarial":
                synthetic = synthetic.map(lambda images, *_: images)
            self.model.fit(
                phase_batches(synthetic, real, phase),
                initial_epoch=step // every,
                epochs=phase.end // every + 2,  # more than enough: `StopAt` ends the phase
                steps_per_epoch=every,
                shuffle=False,
                verbose=0,
                callbacks=self._callbacks(phase, interrupt),
            )

    def _open_stream(self, start: int) -> Stream:
        return open_stream(
            self.recipe,
            self.config.seed,
            batch_size=self.config.batch_size,
            start_batch=start,
            workers=self.workers.count,
            ray_address=self.workers.address,
        )

    def _callbacks(self, phase: SchedulePhase, interrupt: StopOnInterrupt) -> list[Any]:
        images, last_step = self.config.batch_size * phase.synthetic_per_step, self.phases[-1].end
        assess = phase.name == "adversarial"
        return [
            Metrics(self.run / METRICS_TABLE, self.checkpoints, last_step, images),  # before what takes time
            StopOnNonFinite(self.checkpoints),
            StopAt(phase.end),
            interrupt,
            *([StepProgress(self.progress, last_step)] if self.progress else []),
            *([self._assessments(phase)] if assess else []),
            Periodic(self.config.sheet_steps, self._save_sheets),
            Periodic(self.config.checkpoint_steps, self.checkpoints.save),
            *tensorboard_callbacks(self.tensorboard, self.run.path),
        ]

    def _assessments(self, phase: SchedulePhase) -> Assessments:
        test = TwoSampleTest(
            self.recipe.shape, self.config.two_sample_steps, self.config.seed,
            repeats=self.config.two_sample_repeats, eager=self.model.run_eagerly,
        )  # fmt: skip
        assessor = Assessor(self.model, self.synthetic, self.synthetic_seed, self.held_out, test, self.judge)
        return Assessments(self.run / ASSESSMENTS_TABLE, self.checkpoints, assessor, self.config.assess_steps, phase)

    def _save_sheets(self) -> None:
        """The sheet of the present averaged weights, as the latest and, by its step, among those of the whole run."""
        picture = self._sheet(self.model.frozen)
        for name in (f"{SHEETS}/{self.checkpoints.step:07}.png", SHEET):
            with self._writing(name) as path:
                save_picture(picture, path)

    def _sheet(self, refiner: Refiner) -> Image.Image:
        return progress_sheet(refiner, self.synthetic.images, self.synthetic_seed, self.held_out)

    def _finish(self) -> RefinementReport:
        """Write the chosen refiner, its sheet and the report; the model itself stays at the last step."""
        refiner = build_refiner(self.recipe.shape, self.config.replace(precision="float32"))
        self.model.best_step.apply(refiner.variables)
        network = clipped(refiner)
        with self._writing(SHEET) as path:
            save_picture(self._sheet(Refiner(network, self.recipe.binarize.open_px)), path)
        with self._writing(REFINER) as path:
            write_with(path, network.save)
        return self._report()

    def _report(self) -> RefinementReport:
        """Write the report and return it; raises RunError if the table of assessments is missing or damaged."""
        table = MetricsTable(self.run / ASSESSMENTS_TABLE, METRIC_COLUMNS, lambda _: True)
        assessed = [RefinerMetrics.from_row(row) for row in table.rows]
        step = int(self.model.best_step.step)
        chosen = [metrics for metrics in assessed if metrics.step == step]
        if not chosen:
            path = self.run / ASSESSMENTS_TABLE
            raise RunError(f"{path} lacks the chosen step {step}; start a new run in another folder", path)
        report = refinement_report(chosen[0], assessed[-1], self.model.best_step.reason())
        with self._writing(PAGE):
            rows = MetricsTable(self.run / METRICS_TABLE, COLUMNS, lambda _: True).rows
            write_report(self.run, report, assessed, rows, f"SimGAN, {self.recipe.name}")
        return report

    @contextmanager
    def _writing(self, name: str) -> Iterator[Path]:
        path = self.run / name
        with self.checkpoints.writing(str(path)):
            yield path
