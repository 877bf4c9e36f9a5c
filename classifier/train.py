"""`python -m classifier.train`: a recogniser from synthetic images, adapted to unlabelled real ones."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import click

from classifier.config import Adaptation, DataName, NetworkName, Training
from synth_engine.cli import main_guard
from synth_engine.recipe import Recipe
from synth_engine.runs import RunFolder

COUNT = click.IntRange(1)
DEFAULTS = Training()


@click.command(
    epilog="Example: python -m classifier.train --real challenges --run runs/classifier. Without --real it learns from "
    "synthetic images alone. No label of a real image is read. Ctrl-C keeps the last checkpoint; repeat with --resume."
)
@click.option("--real", type=click.Path(), help="Unlabelled real images, to adapt to.  [default: none, no adaptation]")
@click.option(
    "--recipe", metavar="NAME|TOML", help="Built-in or a file.  [default: hackmit-target with --real, else hackmit]"
)
@click.option("--refiner", type=click.Path(), help="refiner.keras of a gan.train run.")
@click.option(
    "--data",
    type=click.Choice(get_args(DataName)),
    help="Synthetic images as they are, refined, or half of each.  [default: mixed with --refiner, else raw]",
)
@click.option(
    "--network",
    default=DEFAULTS.network,
    show_default=True,
    type=click.Choice(get_args(NetworkName)),
    help="grid: any length, fast. four-head: the original's, fixed length.",
)
@click.option("--width", default=DEFAULTS.width, show_default=True, type=COUNT, help="Grid network: channels.")
@click.option("--depth", default=DEFAULTS.depth, show_default=True, type=COUNT, help="Grid network: 3x3 convolutions.")
@click.option("--steps", default=DEFAULTS.steps, show_default=True, type=COUNT, help="Steps on synthetic images.")
@click.option(
    "--batch-size", default=DEFAULTS.batch_size, show_default=True, type=click.IntRange(2), help="Images a step."
)
@click.option(
    "--learning-rate",
    default=DEFAULTS.learning_rate,
    show_default=True,
    type=click.FloatRange(0, min_open=True),
    help="Highest, after warming up.",
)
@click.option(
    "--adapt-steps",
    default=DEFAULTS.adaptation.steps,
    show_default=True,
    type=click.IntRange(0),
    help="Steps of self-training in all rounds together.",
)
@click.option(
    "--adapt-rounds",
    default=DEFAULTS.adaptation.rounds,
    show_default=True,
    type=COUNT,
    help="Rounds of self-training; each reads the real images anew.",
)
@click.option(
    "--adapt-minutes", type=click.FloatRange(0), help="End adaptation after the round in which these have passed."
)
@click.option("--real-limit", type=COUNT, help="Use no more than so many real images.")
@click.option(
    "--run",
    "folder",
    default="runs/classifier",
    show_default=True,
    type=click.Path(file_okay=False),
    help="Folder for classifier.keras, recipe.toml, config.json, metrics.csv and checkpoints.",
)
@click.option("--resume", is_flag=True, help="Go on from the folder's last checkpoint; give the same options again.")
@click.option("--seed", default=0, show_default=True, type=click.IntRange(0, 2**31 - 1), help="Of every random draw.")
@click.option("--workers", default=0, show_default=True, type=click.IntRange(0), help="Ray actors; 0: threads here.")
@click.option("--ray-address", metavar="HOST:PORT", help="Of a running Ray cluster.  [default: one started here]")
@click.option("--threads", type=COUNT, help="TensorFlow's threads.  [default: one a core]")
@click.option("--tensorboard", is_flag=True, help="Also write summaries for TensorBoard.")
def train(folder: str, resume: bool, threads: int | None, **options: Any) -> None:
    """Train a recogniser and write classifier.keras with recipe.toml, config.json and metrics.csv beside it."""
    recipe = default_recipe(options["recipe"], options["real"] is not None)
    settings = resolve(options)
    config = {
        **settings.as_dict(),
        "recipe": recipe.name,
        "recipe_key": recipe.key,
        **{name: options[name] for name in ("real", "real_limit", "refiner")},
    }
    click.echo(json.dumps(config, indent=2))
    real = _real_images(options["real"], recipe, options["real_limit"]) if options["real"] else None
    run = RunFolder.create(folder, config, resume=resume)  # only now: a wrong path must not cost the folder
    try:
        path = _train(run, recipe, settings, threads, real, options)
    except KeyboardInterrupt:
        click.echo(f"what was learnt up to the last line above is kept in {run.path}; repeat with --resume", err=True)
        raise
    click.echo(f"{path} holds the recogniser, {path.parent / 'recipe.toml'} its recipe")


def default_recipe(name: str | None, has_real: bool) -> Recipe:
    """The recipe asked for; else the one fitted to the contest's real images where there are any to adapt to."""
    return Recipe.resolve(name or ("hackmit-target" if has_real else "hackmit"))


def resolve(options: dict[str, Any]) -> Training:
    """Checked settings from the command's options; raises RunError for those that do not fit."""
    adaptation = replace(Adaptation(), steps=options["adapt_steps"], rounds=options["adapt_rounds"])
    names = ("network", "width", "depth", "steps", "batch_size", "learning_rate", "seed")
    data: DataName = options["data"] or ("mixed" if options["refiner"] else "raw")
    return Training(data=data, adaptation=adaptation, **{name: options[name] for name in names})


def _train(
    run: RunFolder, recipe: Recipe, settings: Training, threads: int | None, real: Any, options: dict[str, Any]
) -> Path:
    from synth_engine.runtime import prepare_tensorflow

    prepare_tensorflow(settings.seed, threads)
    from classifier.data import Source
    from classifier.session import Session

    session = Session(
        settings=settings,
        source=Source(
            recipe=recipe, seed=settings.seed, workers=options["workers"], ray_address=options["ray_address"]
        ),
        real=real,
        **{name: options[name] for name in ("refiner", "tensorboard", "adapt_minutes")},
    )
    return session.train(run, click.echo)


def _real_images(path: str, recipe: Recipe, limit: int | None) -> Any:
    from synth_engine.target import load_target

    target = load_target(path, recipe, limit)
    for line in target.report.lines():
        click.echo(f"{path}: {line}")
    return target.images


if __name__ == "__main__":
    main_guard(train)
