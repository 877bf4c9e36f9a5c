"""Refining: a refiner trained in the middle of a run by `gan.train`, and used for adaptation if its account says so.

`gan` is another process: what it is told are files and options, what it tells are `refiner.keras` and
`assessment.json`. What a refiner must show to be of help is laid down there, not here.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from classifier.adaptation.refiner_plan import SHARES, RefinerPlan
from classifier.adaptation.subprocess_run import run_to_end
from classifier.learning.settings import TrainingSettings
from classifier.reading.reader import MODEL, Reader
from synth_engine.errors import RunError
from synth_engine.training.keras_files import RECIPE, load_refiner
from synth_engine.training.run_folder import CONFIG

if TYPE_CHECKING:
    from classifier.learning.batches import Source
    from classifier.learning.learner import Learner
    from classifier.learning.phase import RunContext
    from synth_engine.training.checkpoints import Checkpoints

COMMAND = (sys.executable, "-m", "gan.train")
READER, REFINER, LOG = "reader", "refiner", "refiner.log"  # in a run's folder
NETWORK, ACCOUNT = "refiner.keras", "assessment.json"  # in the refiner's, the account written last
ADAPTED = "checkpoints/adapt"
REFINED_SHARE = SHARES["mixed"]

log = logging.getLogger(__name__)


def gan_options(plan: RefinerPlan, source: Source, run: Path, settings: TrainingSettings) -> Iterator[str]:
    """Options of `gan.train`, with absolute paths, as it compares them when it is resumed.

    So a run may be resumed from another working folder, but one whose refiner is half trained must not be moved.
    """
    folder = run.resolve()
    wanted = {
        "--real": Path(plan.real).resolve(),
        "--real-limit": plan.real_limit,
        "--recipe": folder / READER / RECIPE,
        "--reader": folder / READER / MODEL,
        "--run": folder / REFINER,
        "--steps": settings.refine_steps,
        "--precision": settings.precision,
        "--seed": source.seed,
        "--workers": source.workers,
        "--ray-address": source.ray_address,
        "--threads": plan.threads,
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


def may_differ(run: Path) -> tuple[str, ...]:
    """Settings that a resumed run may have otherwise than before, as nothing has used them yet.

    Whether to refine, until adaptation has begun; how long, until the refiner has.
    """
    if (run / ADAPTED).exists():
        return ()
    return ("refine",) if (run / REFINER / CONFIG).is_file() else ("refine", "refine_steps")


def refine(learner: Learner, source: Source, context: RunContext, checkpoints: Checkpoints, plan: RefinerPlan) -> None:
    """Let ``learner`` refine half of the synthetic images from here on, if a refiner trained for it helps.

    A refiner that the run's folder holds is not trained again. Raises KeyboardInterrupt on Ctrl-C, once `gan.train` has
    saved a checkpoint of its own; RunError when it fails.
    """
    folder = context.run / REFINER
    if not all((folder / name).is_file() for name in (NETWORK, ACCOUNT)):
        with checkpoints.writing(f"{READER}/"):
            Reader(learner.teacher, source.recipe).save(context.run / READER)
        context.interrupt.leave_if_requested(checkpoints)
        code = _train(gan_options(plan, source, context.run, learner.settings), context)
        context.interrupt.leave_if_requested(checkpoints)
        if code:
            raise RunError(_failure(context.run / LOG, code), code)
    verdict = Verdict.of(context.run)
    log.info(verdict.line())
    if verdict.helps:
        from classifier.learning.learner import Refinement

        learner.refinement = Refinement(load_refiner(folder / NETWORK, source.recipe), REFINED_SHARE)


def _train(options: Iterator[str], context: RunContext) -> int:
    """Run `gan.train` to its end and return its exit status."""
    folder, output = context.run / REFINER, context.run / LOG
    resumed = ["--resume"] if (folder / CONFIG).is_file() else []
    log.info("training a refiner in %s; %s says how far it is", folder, output)
    return run_to_end([*COMMAND, *options, *resumed], output, context.interrupt)


def _failure(output: Path, code: int) -> str:
    last = (output.read_text(errors="replace").strip().splitlines() or ["it said nothing"])[-1]
    return (
        f"gan.train, which trains the refiner, ended with exit status {code} ({last}); {output} holds all it said. "
        "What was learnt is saved: try again with --resume, or go on without a refiner with --resume --no-refine"
    )
