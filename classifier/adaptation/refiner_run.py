"""A refiner that `gan.train` trains in the middle of a run; it is used for adaptation if its report says that it helps.

`gan` is another process. What passes between the two is in `synth_engine.training.refinement_report`.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from classifier.adaptation.refiner_plan import SHARES, RefinerPlan
from classifier.adaptation.subprocess_run import run_to_end
from classifier.learning.settings import TrainingSettings
from classifier.reading.reader import MODEL, save_reader
from synth_engine.errors import RunError
from synth_engine.training.keras_files import RECIPE, load_refiner
from synth_engine.training.refinement_report import (
    ASSESSMENT,
    COMMAND,
    REFINER,
    MetricTarget,
    RefinementReport,
    RefinerRequest,
)
from synth_engine.training.run_folder import CONFIG

if TYPE_CHECKING:
    from classifier.learning.batches import Source
    from classifier.learning.learner import Learner
    from classifier.learning.phase import RunContext
    from synth_engine.training.checkpoints import Checkpoints

READER_FOLDER, REFINER_FOLDER, LOG = "reader", "refiner", "refiner.log"  # in a run's folder
ADAPTED = "checkpoints/adapt"
REFINED_SHARE = SHARES["mixed"]

log = logging.getLogger(__name__)


def request_of(plan: RefinerPlan, source: Source, run: Path, settings: TrainingSettings) -> RefinerRequest:
    """What `gan.train` is asked for; paths are absolute, so that a run may be resumed from another working folder.

    A run folder must not be moved while its refiner is half trained.
    """
    folder = run.resolve()
    return RefinerRequest(
        real=str(Path(plan.real).resolve()),
        real_limit=plan.real_limit,
        recipe=str(folder / READER_FOLDER / RECIPE),
        reader=str(folder / READER_FOLDER / MODEL),
        run=str(folder / REFINER_FOLDER),
        steps=settings.refine_steps,
        precision=settings.precision,
        seed=source.seed,
        workers=source.workers,
        ray_address=source.ray_address,
        threads=plan.threads,
        resume=(folder / REFINER_FOLDER / CONFIG).is_file(),
    )


@dataclass(frozen=True)
class RefinerDecision:
    """Whether a run's refiner helps, and the targets that decide it."""

    helps: bool
    targets: tuple[MetricTarget, ...]

    @classmethod
    def of(cls, run: Path) -> RefinerDecision:
        """From the report in a run's folder; raises RunError if that is missing, damaged or of another version."""
        folder = run / REFINER_FOLDER
        remedy = f"remove {folder} and go on with --resume, which trains the refiner again"
        report = RefinementReport.read(folder, remedy=remedy)
        return cls(report.helps, tuple(target for target in report.targets if target.needed))

    def why(self) -> str:
        """The targets missed; of a refiner that helps, all targets."""
        named = self.targets if self.helps else [target for target in self.targets if not target.reached]
        return "; ".join(f"{target.name} {target.received}, target {target.wanted}" for target in named)

    def as_dict(self) -> dict[str, Any]:
        """For `scores.json`."""
        return {"helps": self.helps, "why": self.why()}

    def rows(self) -> list[tuple[str, str, str, str]]:
        """Each target: name, value, what is wanted, whether it is reached."""
        reached = {True: "reached", False: "missed", None: "not measured"}
        return [(each.name, each.received, each.wanted, reached[each.reached]) for each in self.targets]

    def line(self) -> str:
        """What was decided and why, for people."""
        if self.helps:
            return f"the refiner helps: half of the synthetic images of adaptation are refined ({self.why()})"
        return f"the refiner does not help: adaptation uses raw synthetic images ({self.why()})"


def may_differ(run: Path) -> tuple[str, ...]:
    """Settings whose values a resumed run may change, as nothing has used them yet.

    These are whether to refine, until adaptation has begun, and for how long, until the refiner's run has begun.
    """
    if (run / ADAPTED).exists():
        return ()
    return ("refine",) if (run / REFINER_FOLDER / CONFIG).is_file() else ("refine", "refine_steps")


def refine(learner: Learner, source: Source, context: RunContext, checkpoints: Checkpoints, plan: RefinerPlan) -> None:
    """Let ``learner`` refine half of the synthetic images from here on, if a refiner trained for it helps.

    A refiner that is in the run's folder is not trained again. Raises KeyboardInterrupt on Ctrl-C, once `gan.train` has
    saved a checkpoint of its own; RunError if it fails.
    """
    folder = context.run / REFINER_FOLDER
    if not all((folder / name).is_file() for name in (REFINER, ASSESSMENT)):
        with checkpoints.writing(f"{READER_FOLDER}/"):
            save_reader(learner.teacher, source.recipe, context.run / READER_FOLDER)
        context.interrupt.leave_if_requested(checkpoints)
        code = _train(request_of(plan, source, context.run, learner.settings), context)
        context.interrupt.leave_if_requested(checkpoints)
        if code:
            raise RunError(_failure(context.run / LOG, code), code)
    decision = RefinerDecision.of(context.run)
    log.info(decision.line())
    if decision.helps:
        from classifier.learning.learner import Refinement

        learner.refinement = Refinement(load_refiner(folder / REFINER, source.recipe), REFINED_SHARE)


def _train(request: RefinerRequest, context: RunContext) -> int:
    """Run `gan.train` to its end and return its exit status."""
    output = context.run / LOG
    log.info("training a refiner in %s; %s says how far it is", context.run / REFINER_FOLDER, output)
    return run_to_end([*COMMAND, *request.options()], output, context.interrupt)


def _failure(output: Path, code: int) -> str:
    last = (output.read_text(errors="replace").strip().splitlines() or ["it said nothing"])[-1]
    return (
        f"gan.train, which trains the refiner, ended with exit status {code} ({last}); {output} holds its output. What "
        "was learnt is saved: try again with --resume, or go on without a refiner with --resume --no-refine"
    )
