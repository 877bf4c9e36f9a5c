"""What each part of label-free reading contributes: the same short run without it, over several seeds.

python bench/ablation.py --real DIR --labels CSV --refiner refiner.keras --out runs/ablation

Labels are used for the last column alone. Every run is a command that can be repeated by hand. Finished runs are kept,
so an interrupted ablation goes on where it stopped.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import click

from classifier.scoring.scores import Share
from synth_engine.cli.guard import main_guard

ROOT = Path(__file__).resolve().parents[1]


class Row(NamedTuple):
    """A row of the table: its options, and the row whose network it starts from, if any."""

    name: str
    options: tuple[str, ...]
    after: str | None = None


MISMATCHED, MATCHED = "one font, the original's places", "several fonts, places as seen"
WIDE = "one font, + wide warps"


def runs(real: str, refiner: str | None, steps: int, adapt_steps: int, real_limit: int) -> Iterator[Row]:
    """The rows, each after the one that it starts from."""
    learn = ("--steps", str(steps), "--adapt", "none")
    go_on = ("--steps", "0", "--real", real, "--real-limit", str(real_limit))
    rounds = str(max(1, adapt_steps // 100))
    taught = (*go_on, "--adapt", "self-training", "--adapt-steps", str(adapt_steps), "--adapt-rounds", rounds)
    matched = ("--recipe", "hackmit-target", "--augment", "narrow")
    yield Row(MISMATCHED, ("--recipe", "hackmit", "--augment", "narrow", *learn))
    yield Row(WIDE, ("--recipe", "hackmit", "--augment", "wide", *learn))
    wide = ("--recipe", "hackmit", "--augment", "wide", *taught)
    yield Row("one font, + wide warps, + self-training", (*wide, "--adapt-information", "0"), WIDE)
    yield Row("one font, + wide warps, + self-training with information", wide, WIDE)
    yield Row(MATCHED, (*matched, *learn))
    if refiner:
        yield Row("+ half refined", (*matched, "--refiner", refiner, "--data", "mixed", *learn))
    yield Row("+ statistics of the real images", (*matched, *go_on, "--adapt", "statistics"), MATCHED)
    yield Row("+ self-training", (*matched, *taught), MATCHED)


@click.command()
@click.option("--real", required=True, type=click.Path(exists=True), help="Unlabelled real images.")
@click.option("--labels", required=True, type=click.Path(exists=True), help="CSV name,text: for the score alone.")
@click.option("--refiner", type=click.Path(exists=True), help="refiner.keras made for hackmit-target.")
@click.option("--out", "folder", required=True, type=click.Path(file_okay=False, path_type=Path))
@click.option("--seeds", default=3, show_default=True, type=click.IntRange(1))
@click.option("--steps", default=900, show_default=True, type=click.IntRange(1), help="On synthetic images.")
@click.option("--adapt-steps", default=600, show_default=True, type=click.IntRange(1), help="Of self-training.")
@click.option(
    "--real-limit", default=20_000, show_default=True, type=click.IntRange(1), help="Real images to adapt to."
)
@click.option("--only", multiple=True, help="A row by name; may be repeated. Name a row that others start from first.")
def main(
    real: str, labels: str, refiner: str | None, folder: Path, seeds: int, only: tuple[str, ...], **sizes: int
) -> None:
    """Train every row with every seed, score it on LABELS, and print a table of whole texts and characters."""
    known = [row.name for row in runs(real, refiner, **sizes)]
    if missing := [name for name in only if name not in known]:
        raise click.BadParameter(f"no row is {missing[0]!r}; choose among {'; '.join(known)}", param_hint="--only")
    rows: dict[str, list[dict[str, Share]]] = {}
    for seed in range(seeds):
        for run in (row for row in runs(real, refiner, **sizes) if not only or row.name in only):
            model = train(run, folder, seed)
            rows.setdefault(run.name, []).append(evaluate(model, real, labels))
            click.echo(f"seed {seed}, {run.name}: {rows[run.name][-1]['whole']}")
    click.echo("\n".join(table(rows)))


def train(run: Row, folder: Path, seed: int) -> Path:
    """The run's network, made if it is not there yet; an unfinished run goes on."""
    place = folder_of(run.name, folder, seed)
    model = place / "classifier.keras"
    if not model.is_file():
        start = ("--start-from", str(folder_of(run.after, folder, seed) / model.name)) if run.after else ()
        resume = ("--resume",) if (place / "config.json").is_file() else ()
        command("classifier.train", *run.options, *start, *resume, "--seed", str(seed), "--run", str(place))
    return model


def evaluate(model: Path, real: str, labels: str) -> dict[str, Share]:
    """Whole texts and characters read right."""
    scores = model.with_name("evaluation.json")
    if not scores.is_file():
        command(
            "classifier.evaluate", "--model", str(model), "--images", real, "--labels", labels, "--json", str(scores)
        )
    found = json.loads(scores.read_bytes())
    return {name: Share(found[name]["right"], found[name]["total"]) for name in ("whole", "characters")}


def table(rows: dict[str, list[dict[str, Share]]]) -> list[str]:
    """Markdown: each seed's whole texts, then both shares over all seeds with 95% intervals of as many readings."""
    lines = ["| run | whole texts by seed | whole texts | characters |", "|---|---|---|---|"]
    for name, found in rows.items():
        by_seed = ", ".join(f"{each['whole'].value:.1%}" for each in found)
        pooled = (pool([each[what] for each in found]) for what in ("whole", "characters"))
        lines.append(f"| {name} | {by_seed} | {' | '.join(pooled)} |")
    return lines


def pool(shares: list[Share]) -> str:
    """One share over all seeds with its interval."""
    both = Share(sum(share.right for share in shares), sum(share.total for share in shares))
    low, high = both.interval
    return f"{both.value:.1%} ({low:.1%} to {high:.1%})"


def folder_of(name: str, folder: Path, seed: int) -> Path:
    """A row's run folder."""
    return folder / f"{''.join(c if c.isalnum() else '-' for c in name)}-{seed}"


def command(module: str, *options: str) -> None:
    """Run a command of the project; its failure ends this one."""
    done = subprocess.run(
        [sys.executable, "-m", module, *options], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.exit(f"python -m {module} {' '.join(options)}\n{done.stdout[-2000:]}{done.stderr[-2000:]}")


if __name__ == "__main__":
    main_guard(main)
