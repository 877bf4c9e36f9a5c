"""Phases of a run and how many batches each step takes: pure arithmetic, so that a resumed run finds its place."""

from __future__ import annotations

from dataclasses import dataclass

from gan.settings.config import Config


@dataclass(frozen=True)
class SchedulePhase:
    """Steps [first, end) of a run; each takes so many batches. ``*_before``: batches that earlier phases took."""

    name: str
    first: int
    end: int
    synthetic_per_step: int
    real_per_step: int
    synthetic_before: int
    real_before: int

    def synthetic_at(self, step: int) -> int:
        """Index of the first synthetic batch that ``step`` takes."""
        return self.synthetic_before + (step - self.first) * self.synthetic_per_step

    def real_at(self, step: int) -> int:
        """Index of the first real batch that ``step`` takes."""
        return self.real_before + (step - self.first) * self.real_per_step


def phases(config: Config) -> tuple[SchedulePhase, ...]:
    """Refiner alone, discriminator alone, both in turn: the paper's algorithm 1 and section 3."""
    both = config.refiner_updates + config.discriminator_updates
    found: list[SchedulePhase] = []
    step = synthetic = real = 0
    for name, steps, synthetic_per_step, real_per_step in (
        ("refiner", config.refiner_pretrain_steps, 1, 1),
        ("discriminator", config.discriminator_pretrain_steps, 1, 1),
        ("adversarial", config.steps, both, config.discriminator_updates),
    ):
        found.append(SchedulePhase(name, step, step + steps, synthetic_per_step, real_per_step, synthetic, real))
        step, synthetic, real = step + steps, synthetic + steps * synthetic_per_step, real + steps * real_per_step
    return tuple(found)
