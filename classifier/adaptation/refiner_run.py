"""Refining: a refiner trained in the middle of a run by `gan.train`, and used for adaptation if its account says so.

`gan` is another process: what it is told are files and options, what it tells are `refiner.keras` and
`assessment.json`. What a refiner must show to be of help is laid down there, not here.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from classifier.adaptation.subprocess_run import run_to_end
from classifier.learning.settings import TrainingSettings
from classifier.reading.reader import MODEL, Reader
from synth_engine.errors import RunError
from synth_engine.training.keras_files import RECIPE, load_refiner
from synth_engine.training.run_folder import CONFIG

if TYPE_CHECKING:
    from classifier.learning.batches import Source
    from classifier.learning.learner import Learner
    from classifier.learning.phase import Context
    from synth_engine.recipe import Recipe
    from synth_engine.training.checkpoints import Checkpoints

COMMAND = (sys.executable, "-m", "gan.train")
READER, REFINER, LOG = "reader", "refiner", "refiner.log"  # in a run's folder
NETWORK, ACCOUNT = "refiner.keras", "assessment.json"  # in the refiner's, the account written last
ADAPTED = "checkpoints/adapt"
REFINED_SHARE = 0.5  # as `mixed` images have it
FEWEST = 400  # real images: a quarter is held out, half of that tests, and of 50 a share is known to 7 points at best


@dataclass(frozen=True, kw_only=True)
class Refining:
    """What `gan.train` is told beside the source of synthetic images; ``real`` is a PATH of the command line.

    ``required``: whether an obstacle is an error; a preset's wish costs nobody one.
    """

    real: str
    real_limit: int | None = None
    threads: int | None = None
    required: bool = False

    def options(self, source: Source, run: Path, steps: int, precision: str) -> Iterator[str]:
        """Those of `gan.train`, paths made absolute, as it compares them when it is resumed.

        So a run may be resumed from another working folder, but one whose refiner is half trained must not be moved.
        """
        folder = run.resolve()
        wanted = {
            "--real": Path(self.real).resolve(),
            "--real-limit": self.real_limit,
            "--recipe": folder / READER / RECIPE,
            "--reader": folder / READER / MODEL,
            "--run": folder / REFINER,
            "--steps": steps,
            "--precision": precision,
            "--seed": source.seed,
            "--workers": source.workers,
            "--ray-address": source.ray_address,
            "--threads": self.threads,
        }
        for name, value in wanted.items():
            if value is not None:
                yield from (name, str(value))


@dataclass(frozen=True)
class Verdict:
    """What the account of a refiner says: whether it ``helps``, and the marks that were looked at, as JSON values."""

    helps: bool
    marks: tuple[Mapping[str, Any], ...]

    @classmethod
    def of(cls, run: Path) -> Verdict:
        """Of the refiner in a run's folder; raises RunError when its account is missing or damaged."""
        path = run / REFINER / ACCOUNT
        try:
            account = json.loads(path.read_bytes())
            return cls(account["helps"], tuple(mark for mark in account["marks"] if mark["needed"]))
        except (OSError, ValueError, LookupError, TypeError) as error:
            remedy = f"remove {path.parent} and go on with --resume, which trains the refiner again"
            raise RunError(f"{path} is missing, damaged or of another version ({error!r}); {remedy}", path) from error

    def why(self) -> str:
        """The marks missed; of a refiner that helps, all marks."""
        named = self.marks if self.helps else [mark for mark in self.marks if not mark["reached"]]
        return "; ".join(f"{mark['name']} {mark['received']}, wanted {mark['wanted']}" for mark in named)

    def as_dict(self) -> dict[str, Any]:
        """For `scores.json`."""
        return {"helps": self.helps, "why": self.why()}

    def rows(self) -> list[tuple[str, str, str, str]]:
        """Each mark: name, value, what it must reach, whether it does."""
        reached = {True: "reached", False: "missed"}
        return [(m["name"], m["received"], m["wanted"], reached.get(m["reached"], "not measured")) for m in self.marks]

    def line(self) -> str:
        """What was decided and why, for people."""
        if self.helps:
            return f"the refiner helps: half of the synthetic images of adaptation are refined ({self.why()})"
        return f"the refiner does not help: adaptation uses raw synthetic images ({self.why()})"


class Obstacle(NamedTuple):
    """Why no refiner can be trained in a run, or would serve nobody: what ``--refine`` does that cannot be."""

    why: str
    remedy: str


def obstacle(settings: TrainingSettings, real: int, refiner: str | None) -> Obstacle | None:
    """What the options and the number of ``real`` images put in a refiner's way, if anything."""
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
    """What the network that is taught puts in its way: `gan.train` asks it where characters are or which is nth."""
    by_position = (recipe.length_max, len(recipe.alphabet))
    if len(network.output_shape) == 4 or tuple(network.output_shape[1:]) == by_position:
        return None
    return Obstacle(
        f"asks the network whether labels are kept, and {network.name} knows no character's place",
        "use a grid network (--network, --start-from)",
    )


def give_way(
    settings: TrainingSettings, problem: Obstacle | None, *, required: bool, echo: Callable[[str], object]
) -> TrainingSettings:
    """The settings, without a refiner if there is a problem, which is told; RunError if one is ``required``."""
    if problem is None:
        return settings
    if required:
        raise RunError(f"--refine {problem.why}; {problem.remedy}, or leave --refine out", problem.why)
    echo(f"no refiner: --refine {problem.why}")
    return replace(settings, refine=False)


def may_differ(run: Path) -> tuple[str, ...]:
    """Settings that a resumed run may have otherwise than before, as nothing has used them yet.

    Whether to refine, until adaptation has begun; how long, until the refiner has.
    """
    if (run / ADAPTED).exists():
        return ()
    return ("refine",) if (run / REFINER / CONFIG).is_file() else ("refine", "refine_steps")


def refine(learner: Learner, source: Source, context: Context, checkpoints: Checkpoints, refining: Refining) -> None:
    """Let ``learner`` refine half of the synthetic images from here on, if a refiner trained for it helps.

    A refiner that the run's folder holds is not trained again. Raises KeyboardInterrupt on Ctrl-C, once `gan.train` has
    saved a checkpoint of its own; RunError when it fails.
    """
    folder = context.run / REFINER
    if not all((folder / name).is_file() for name in (NETWORK, ACCOUNT)):
        with checkpoints.writing(f"{READER}/"):
            Reader(learner.teacher, source.recipe).save(context.run / READER)
        context.interrupt.leave_if_requested(checkpoints)
        settings = learner.settings
        options = refining.options(source, context.run, settings.refine_steps, settings.precision)
        code = _train(options, context)
        context.interrupt.leave_if_requested(checkpoints)
        if code:
            raise RunError(_failure(context.run / LOG, code), code)
    verdict = Verdict.of(context.run)
    context.echo(verdict.line())
    if verdict.helps:
        learner.refiner, learner.refined_share = load_refiner(folder / NETWORK, source.recipe), REFINED_SHARE


def _train(options: Iterator[str], context: Context) -> int:
    """Run `gan.train` to its end and return its exit status."""
    folder, log = context.run / REFINER, context.run / LOG
    resumed = ["--resume"] if (folder / CONFIG).is_file() else []
    context.echo(f"training a refiner in {folder}; {log} says how far it is")
    return run_to_end([*COMMAND, *options, *resumed], log, context.interrupt)


def _failure(log: Path, code: int) -> str:
    last = (log.read_text(errors="replace").strip().splitlines() or ["it said nothing"])[-1]
    return (
        f"gan.train, which trains the refiner, ended with exit status {code} ({last}); {log} holds all it said. What "
        "was learnt is saved: try again with --resume, or go on without a refiner with --resume --no-refine"
    )
