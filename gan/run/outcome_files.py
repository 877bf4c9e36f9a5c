"""The account of a run, written once it is over: assessment.json, the sheets as a film, report.html, lines to print."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from gan.run.report import Outcome, animate, draw_report
from gan.settings.metrics import helps, marks
from synth_engine.atomic import write_bytes, write_with
from synth_engine.json_files import write_json
from synth_engine.training.run_folder import RunFolder

SHEET, SHEETS, FILM = "sheet.png", "sheets", "sheets.gif"
ACCOUNT, REPORT = "assessment.json", "report.html"
REACHED = {True: "reached", False: "missed ", None: "unknown"}


def lines(outcome: Outcome) -> Iterator[str]:
    """The choice, the table of marks and what follows from it, for the terminal."""
    yield f"chosen: step {outcome.chosen.step} of {outcome.figures[-1].step}: {outcome.reason}"
    yield from (
        f"{REACHED[mark.reached]}  {mark.name}: {mark.received}, wanted {mark.wanted}" for mark in marks(outcome.chosen)
    )
    yield f"a reader had better learn from {'half refined' if helps(outcome.chosen) else 'raw'} images"


def write_account(run: RunFolder, outcome: Outcome, metrics: Sequence[Mapping[str, str]], title: str) -> None:
    """Write the files, each whole or not at all; ``metrics`` are the rows of metrics.csv. Raises OSError."""
    write_json(run / ACCOUNT, "refiner assessment", as_dict(outcome))
    frames = sorted((run / SHEETS).glob("*.png"))
    if frames:
        write_with(run / FILM, lambda path: animate(frames, path))
    pictures = [path for path in (run / SHEET, run / FILM) if path.is_file()]
    write_bytes(run / REPORT, draw_report(title, run.config, metrics, outcome, pictures).encode())


def as_dict(outcome: Outcome) -> dict[str, object]:
    """The chosen and the last figures, the marks, and whether all needed ones are reached, as JSON values."""
    return {
        "helps": helps(outcome.chosen),
        "chosen": outcome.chosen.as_dict(),
        "reason": outcome.reason,
        "last": outcome.figures[-1].as_dict(),
        "marks": [mark._asdict() for mark in marks(outcome.chosen)],
    }
