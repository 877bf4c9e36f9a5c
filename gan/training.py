"""A whole run: data in, phases one after another, checkpoints on the way, the refiner and its account at the end.

The command line is in `train`; here is what it does with its options once they are resolved.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import click

from gan.callbacks import Metrics, Periodic, StopAt, StopOnNonFinite, draw_progress
from gan.config import Config
from gan.data import Images, phase_batches, real_batches
from gan.schedule import Phase, phases
from gan.simgan import SimGAN, build_simgan
from synth_engine.atomic import write_with
from synth_engine.recipe import Recipe
from synth_engine.runs import RunFolder
from synth_engine.stream import Stream, open_stream, surfacing, tf_dataset
from synth_engine.synthesizer import Synthesizer
from synth_engine.training.checkpoints import Checkpoints
from synth_engine.training.interrupt import StopOnInterrupt
from synth_engine.training.tensorboard import tensorboard_callbacks

ASSESSED = 256
REFINER = "refiner.keras"


@dataclass(frozen=True)
class Workers:
    """Where synthetic images are made: in threads (``count`` 0) or in Ray actors, on a cluster if ``address``."""

    count: int = 0
    address: str | None = None


@dataclass(frozen=True)
class Verdict:
    """Figures at the end of a run, shares between 0 and 1; see `losses` for what they measure."""

    mean_change: float
    accuracy_real: float
    accuracy_refined: float

    def __str__(self) -> str:
        return (
            f"a pixel changes by {self.mean_change:.2%} of the range on average; the discriminator is right on "
            f"{self.accuracy_real:.0%} of real and {self.accuracy_refined:.0%} of refined images{self._doubt()}"
        )

    def _doubt(self) -> str:
        if self.mean_change < 0.002:
            return ": next to nothing was refined; train longer or lower --lambda"
        if self.mean_change > 0.15:
            return ": so large a change may erase glyphs; look at the sheet and raise --lambda"
        if min(self.accuracy_real, self.accuracy_refined) > 0.95:
            return ": it still tells them apart; train longer, lower --lambda, or fit the recipe to the images better"
        return ""


class Training:
    """One run in folder ``run``: ``real`` images (N, H, W) uint8 {0, 1} against those of ``recipe``."""

    def __init__(
        self, config: Config, recipe: Recipe, real: Images, run: RunFolder, workers: Workers, tensorboard: bool = False
    ) -> None:
        self.config, self.recipe, self.real, self.run, self.workers = config, recipe, real, run, workers
        self.tensorboard = tensorboard
        self.synthetic = Synthesizer(recipe, config.seed).batch(0, ASSESSED).images
        self.model: SimGAN = build_simgan(config, recipe.shape)
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
            synthetic = tf_dataset(stream).map(lambda images, *_: images)
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
        metrics = Metrics(self.run.path / "metrics.csv", self.checkpoints, self.phases[-1].end)
        return [
            StopOnNonFinite(self.checkpoints),
            StopAt(phase.end),
            interrupt,
            metrics,
            Periodic(self.config.sheet_steps, self._draw),
            Periodic(self.config.checkpoint_steps, self.checkpoints.save),
            *tensorboard_callbacks(self.tensorboard, self.run.path),
        ]

    def _draw(self) -> None:
        path = self.run.path / "sheet.png"
        with self.checkpoints.writing(str(path)):
            draw_progress(self.model, self.synthetic, self.real, path)

    def _finish(self) -> Verdict:
        self._draw()
        path = self.run.path / REFINER
        with self.checkpoints.writing(str(path)):
            write_with(path, self.model.product.save)
        return Verdict(**self.model.assess(self.synthetic, self.real[:ASSESSED]))
