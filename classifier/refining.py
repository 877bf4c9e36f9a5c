"""Refining: a refiner trained in the middle of a run by `gan.train`, and used for adaptation if its account says so.

`gan` is another process: what it is told are files and options, what it tells are `refiner.keras` and
`assessment.json`. What a refiner must show to be of help is laid down there, not here.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from classifier.config import Training
from classifier.files import MODEL, Recogniser
from synth_engine.errors import RunError
from synth_engine.runs import CONFIG
from synth_engine.training.networks import RECIPE, load_refiner

if TYPE_CHECKING:
    from classifier.data import Source
    from classifier.fitting import Context
    from classifier.model import Learner
    from synth_engine.training.checkpoints import Checkpoints

COMMAND = (sys.executable, "-m", "gan.train")
READER, REFINER, LOG = "reader", "refiner", "refiner.log"  # in a run's folder
NETWORK, ACCOUNT = "refiner.keras", "assessment.json"  # in the refiner's, the account written last
ADAPTED = "checkpoints/adapt"
REFINED_SHARE = 0.5  # as `mixed` images have it


@dataclass(frozen=True, kw_only=True)
class Refining:
    """What `gan.train` is told beside the source of synthetic images; ``real`` is a PATH of the command line."""

    real: str
    steps: int
    real_limit: int | None = None
    threads: int | None = None

    def options(self, source: Source, run: Path) -> Iterator[str]:
        """Those of `gan.train`, paths made absolute: a run may be resumed under another name of its folder."""
        folder = run.resolve()
        wanted = {
            "--real": Path(self.real).resolve(),
            "--real-limit": self.real_limit,
            "--recipe": folder / READER / RECIPE,
            "--reader": folder / READER / MODEL,
            "--run": folder / REFINER,
            "--steps": self.steps,
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


def obstacle(settings: Training, real: str | None, refiner: str | None) -> str | None:
    """Why no refiner can be trained in such a run, or would serve nobody, and the remedy; None if it can."""
    if real is None:
        return "needs real images to refine towards; give --real PATH, or leave it out"
    if refiner is not None:
        return "trains a refiner and --refiner brings one; leave one of them out"
    if settings.adaptation.method != "self-training" or not settings.adaptation.steps:
        return "is of use in self-training alone; choose --adapt self-training with --adapt-steps, or leave it out"
    if settings.network == "ctc":
        return "asks the network whether labels are kept, and ctc knows no character's place; use --network grid"
    return None


def may_differ(run: Path) -> tuple[str, ...]:
    """Settings that a resumed run may have otherwise than before: whether to refine, until adaptation has begun."""
    return () if (run / ADAPTED).exists() else ("refine",)


def refine(learner: Learner, source: Source, context: Context, checkpoints: Checkpoints, refining: Refining) -> None:
    """Let ``learner`` refine half of the synthetic images from here on, if a refiner trained for it helps.

    A refiner that the run's folder holds is not trained again. Raises KeyboardInterrupt on Ctrl-C, once `gan.train` has
    saved a checkpoint of its own; RunError when it fails.
    """
    folder = context.run / REFINER
    if not all((folder / name).is_file() for name in (NETWORK, ACCOUNT)):
        with checkpoints.writing(f"{READER}/"):
            Recogniser(learner.teacher, source.recipe).save(context.run / READER)
        context.interrupt.leave_if_requested(checkpoints)
        code = _train(refining.options(source, context.run), context)
        context.interrupt.leave_if_requested(checkpoints)
        if code:
            raise RunError(_failure(context.run / LOG, code), code)
    verdict = Verdict.of(context.run)
    context.echo(verdict.line())
    if verdict.helps:
        learner.refiner, learner.refined_share = load_refiner(folder / NETWORK, source.recipe), REFINED_SHARE


def _train(options: Iterable[str], context: Context) -> int:
    """Run `gan.train` to its end and return its exit status.

    Ctrl-C at a terminal reaches it as it reaches this process, which waits on while it saves.
    """
    folder, log = context.run / REFINER, context.run / LOG
    resumed = ["--resume"] if (folder / CONFIG).is_file() else []
    context.echo(f"training a refiner in {folder}; {log} says how far it is")
    with log.open("ab") as file:
        command = [*COMMAND, *options, *resumed]
        return subprocess.run(command, stdin=subprocess.DEVNULL, stdout=file, stderr=file, check=False).returncode


def _failure(log: Path, code: int) -> str:
    last = (log.read_text(errors="replace").strip().splitlines() or ["it said nothing"])[-1]
    return (
        f"gan.train, which trains the refiner, ended with exit status {code} ({last}); {log} holds all it said. What "
        "was learnt is saved: try again with --resume, or go on without a refiner with --resume --no-refine"
    )
