"""Where the refined images of a run come from: a given refiner, one that the run trains, or none."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any, NamedTuple

from classifier.learning.settings import DataName, TrainingSettings
from classifier.networks.heads import head_of
from synth_engine.errors import RunError
from synth_engine.recipe import Recipe

FEWEST = 400  # real images: a quarter is held out, half of that tests, and of 50 a share is known to 7 points at best
SHARES: dict[DataName, float] = {"raw": 0.0, "refined": 1.0, "mixed": 0.5}

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class GivenRefiner:
    """A refiner.keras at ``path``, used from the first step on for the images that ``data`` says."""

    path: str
    data: DataName = "mixed"

    @property
    def share(self) -> float:
        """Share of the synthetic images that are refined."""
        return SHARES[self.data]


@dataclass(frozen=True, kw_only=True)
class RefinerPlan:
    """How the run trains a refiner before self-training: what `gan.train` is told beside the synthetic images.

    ``real``, ``real_limit``, ``threads`` are options of the command. ``required``: the user asked for a refiner, so an
    obstacle is an error; otherwise the preset did, and the run goes on without one.
    """

    real: str
    real_limit: int | None = None
    threads: int | None = None
    required: bool = False

    def unless(self, problem: Obstacle | None) -> RefinerPlan | None:
        """This plan, or None if there is a problem, which is logged. Raises RunError if a refiner is ``required``."""
        return self if may_refine(problem, required=self.required) else None


class Obstacle(NamedTuple):
    """Why a run cannot train a refiner, or would have no use for it; ``why`` completes "--refine …"."""

    why: str
    remedy: str


def may_refine(problem: Obstacle | None, *, required: bool) -> bool:
    """Whether there is no problem. One is logged, or raised as RunError if a refiner is ``required``."""
    if problem is None:
        return True
    if required:
        raise RunError(f"--refine {problem.why}; {problem.remedy}, or leave --refine out", problem.why)
    log.info("no refiner: --refine %s", problem.why)
    return False


def obstacle(settings: TrainingSettings, real: int, refiner: str | None) -> Obstacle | None:
    """What the options and the number of ``real`` images have against training a refiner, if anything."""
    if not real:
        return Obstacle("needs real images to refine towards", "give --real PATH")
    if refiner is not None:
        return Obstacle("trains a refiner and --refiner brings one", "leave --refiner out")
    if not settings.adaptation.teaches:
        return Obstacle("is of use in self-training alone", "choose --adapt self-training with --adapt-steps")
    if real < FEWEST:
        why = f"needs {FEWEST} real images to tell whether a refiner helps, there are {real}"
        return Obstacle(why, "give more, or a higher --real-limit")
    return None


def obstacle_of(network: Any, recipe: Recipe) -> Obstacle | None:
    """What the network has against it: `gan.train` asks it for the character at a place, or for the nth one."""
    if head_of(network).can_judge(network, recipe):
        return None
    return Obstacle(
        f"asks the network whether labels are preserved, and {network.name} knows no character's place",
        "use a grid network (--network, --start-from)",
    )
