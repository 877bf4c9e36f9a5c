"""A whole run: data in, phases one after another, checkpoints on the way, the refiner and its account at the end.

The command line is in `train`; here is what it does with its options once they are resolved.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from gan.assessment.assessor import Assessor
from gan.run.callbacks import (
    ASSESSMENT,
    COLUMNS,
    METRICS_TABLE,
    Assessments,
    Metrics,
    Periodic,
    StopAt,
    StopOnNonFinite,
    draw_progress,
)
from gan.run.data import Images, hold_out, phase_batches, real_batches
from gan.run.outcome_files import REPORT, SHEET, SHEETS, lines, write_account
from gan.run.report import Outcome
from gan.settings.config import Config
from gan.settings.metrics import FIGURES, Figures
from gan.simgan.label_judge import LabelJudge
from gan.simgan.model import SimGAN, build_simgan
from gan.simgan.networks import build_refiner, clipped
from gan.simgan.replicas import shared_gpus
from gan.simgan.schedule import Phase, phases
from synth_engine.atomic import write_with
from synth_engine.contact_sheet import save_picture
from synth_engine.errors import RunError
from synth_engine.recipe import Recipe
from synth_engine.stream import Stream, open_stream, surfacing, tf_dataset
from synth_engine.synthesizer import Synthesizer
from synth_engine.training.checkpoints import Checkpoints
from synth_engine.training.interrupt import StopOnInterrupt
from synth_engine.training.metrics import MetricsTable
from synth_engine.training.refiner import Refiner
from synth_engine.training.run_folder import RunFolder
from synth_engine.training.tensorboard import tensorboard_callbacks
from synth_engine.training.two_sample import TwoSampleTest

REFINER = "refiner.keras"
HELD_OUT_SEEDS = 2**32  # added to a run's seed: beyond any that a run can have, so no sample is also trained on


@dataclass(frozen=True)
class Workers:
    """Where synthetic images are made: in threads (``count`` 0) or in Ray actors, on a cluster if ``address``."""

    count: int = 0
    address: str | None = None


@dataclass(frozen=True)
class Verdict:
    """Figures of the chosen step, shares between 0 and 1; see `losses` for what they measure."""

    mean_change: float
    drawn_change: float
    accuracy_real: float
    accuracy_refined: float

    def __str__(self) -> str:
        return (
            f"a pixel changes by {self.mean_change:.2%} of the range on average, {self.drawn_change:.2%} of pixels "
            f"once ink is drawn; the discriminator is right on {self.accuracy_real:.0%} of real and "
            f"{self.accuracy_refined:.0%} of refined images{self._doubt()}"
        )

    def _doubt(self) -> str:
        if self.drawn_change < 0.0005:
            return ": next to nothing was refined; train longer or lower --lambda"
        if self.mean_change > 0.15:
            return ": so large a change may erase glyphs; look at the sheet and raise --lambda"
        if min(self.accuracy_real, self.accuracy_refined) > 0.95:
            return ": it still tells them apart; train longer, lower --lambda, or fit the recipe to the images better"
        return ""


class Training:
    """One run in folder ``run``: ``real`` images (N, H, W) uint8 {0, 1} against those of ``recipe``.

    A part of the real images is held out to assess on. ``reader`` judges labels, and teaches if ``label_weight`` > 0.
    """

    def __init__(
        self, config: Config, recipe: Recipe, real: Images, run: RunFolder, workers: Workers, *,
        tensorboard: bool = False, reader: LabelJudge | None = None,
    ) -> None:  # fmt: skip
        self.config, self.recipe, self.run, self.workers = config, recipe, run, workers
        self.tensorboard, self.reader = tensorboard, reader
        self.real, self.held_out = hold_out(real, config.assessed_images)
        shown = config.read_images if reader else config.assessed_images
        self.synthetic_seed = config.seed + HELD_OUT_SEEDS
        self.synthetic = Synthesizer(recipe, self.synthetic_seed).batch(0, shown)
        gpus = shared_gpus(config.batch_size)
        self.model: SimGAN = build_simgan(config, recipe.shape, reader, recipe.binarize.open_px, gpus)
        self.checkpoints = Checkpoints(
            run.path / "checkpoints",
            self.model.state,
            step=self.model.step,
            weights=self.model.refiner.variables + self.model.discriminator.variables,
        )
        self.phases = phases(config)

    def resume(self) -> None:
        """Go on from the newest readable checkpoint, naming damaged ones; without any, from the beginning."""
        self.checkpoints.restore()
        click.echo(f"resumed at step {self.checkpoints.step}")

    def train(self) -> Verdict:
        """Train to the end and write the results.

        Raises KeyboardInterrupt on Ctrl-C, after saving a checkpoint; RunError when a loss is not finite or the disk
        is full; StreamError when the stream fails.
        """
        with StopOnInterrupt(self.model) as interrupt:
            for phase in self.phases:
                if self.checkpoints.step < phase.end:
                    self._fit(phase, interrupt)
                interrupt.leave_if_requested(self.checkpoints)
        self.checkpoints.save()
        return self._finish()

    def _fit(self, phase: Phase, interrupt: StopOnInterrupt) -> None:
        step, every = self.checkpoints.step, self.config.report_steps
        self.model.enter(phase.name)
        real = real_batches(self.real, self.config.batch_size, self.config.seed, phase.real_at(step))
        with self._open_stream(phase.synthetic_at(step)) as stream, surfacing(stream):
            synthetic = tf_dataset(stream)
            if not self.model.reader or phase.name != "adversarial":
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

    def _open_stream(self, start_batch: int) -> Stream:
        return open_stream(
            self.recipe,
            self.config.seed,
            batch_size=self.config.batch_size,
            start_batch=start_batch,
            workers=self.workers.count,
            ray_address=self.workers.address,
        )

    def _callbacks(self, phase: Phase, interrupt: StopOnInterrupt) -> list[Any]:
        images = self.config.batch_size * phase.synthetic_per_step
        metrics = Metrics(self.run / METRICS_TABLE, self.checkpoints, self.phases[-1].end, images)
        assess = phase.name == "adversarial"
        return [
            metrics,  # before what takes time of its own
            StopOnNonFinite(self.checkpoints),
            StopAt(phase.end),
            interrupt,
            *([self._assessments(phase)] if assess else []),
            Periodic(self.config.sheet_steps, self._draw),
            Periodic(self.config.checkpoint_steps, self.checkpoints.save),
            *tensorboard_callbacks(self.tensorboard, self.run.path),
        ]

    def _assessments(self, phase: Phase) -> Assessments:
        test = TwoSampleTest(
            self.recipe.shape, self.config.two_sample_steps, self.config.seed,
            repeats=self.config.two_sample_repeats, eager=self.model.run_eagerly,
        )  # fmt: skip
        assessor = Assessor(self.model, self.synthetic, self.synthetic_seed, self.held_out, test, self.reader)
        return Assessments(self.run / ASSESSMENT, self.checkpoints, assessor, self.config.assess_steps, phase)

    def _draw(self) -> None:
        """A sheet of the averaged weights, as they are now and, by its step, among those of the whole run."""
        picture = self._sheet(self.model.frozen)
        for name in (f"{SHEETS}/{self.checkpoints.step:07}.png", SHEET):
            with self._writing(name) as path:
                save_picture(picture, path)

    def _sheet(self, refiner: Refiner) -> Any:
        return draw_progress(refiner, self.synthetic.images, self.synthetic_seed, self.held_out)

    def _outcome(self) -> Outcome:
        """What all assessments came to; raises RunError when the table of them is gone or damaged."""
        figures = [Figures.from_row(row) for row in MetricsTable(self.run / ASSESSMENT, FIGURES, lambda _: True).rows]
        step = int(self.model.choice.step)
        chosen = [one for one in figures if one.step == step]
        if not chosen:
            raise RunError(f"{self.run / ASSESSMENT} lacks the chosen step {step}; start a new run in another folder")
        return Outcome(figures, chosen[0], self.model.choice.reason())

    def _finish(self) -> Verdict:
        """Write the chosen refiner, its sheet, and the account of the run; the model itself stays at the last step."""
        refiner = build_refiner(self.recipe.shape, self.config.replace(precision="float32"))
        self.model.choice.apply(refiner.variables)
        network = clipped(refiner)
        with self._writing(SHEET) as path:
            save_picture(self._sheet(Refiner(network, self.recipe.binarize.open_px)), path)
        with self._writing(REFINER) as path:
            write_with(path, network.save)
        outcome = self._outcome()
        with self._writing(REPORT):
            metrics = MetricsTable(self.run / METRICS_TABLE, COLUMNS, lambda _: True).rows
            write_account(self.run, outcome, metrics, f"SimGAN, {self.recipe.name}")
        for line in lines(outcome):
            click.echo(line)
        chosen = outcome.chosen
        return Verdict(chosen.mean_change, chosen.drawn_change, chosen.accuracy_real, chosen.accuracy_refined)

    @contextmanager
    def _writing(self, name: str) -> Iterator[Path]:
        path = self.run / name
        with self.checkpoints.writing(str(path)):
            yield path
