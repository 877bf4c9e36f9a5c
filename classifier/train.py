"""`python -m classifier.train`: a reader from synthetic images, adapted to unlabelled real ones."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, get_args

import click

from classifier.adaptation.refiner_run import may_differ
from classifier.learning.settings import AUGMENTATIONS, PRESETS, WIDE_INFORMATION, AdaptationMethod, DataName
from classifier.networks.head import NetworkName
from classifier.run.options import TrainOptions
from classifier.run.planning import choose_recipe, load_real, plan_of
from synth_engine.cli.guard import main_guard
from synth_engine.cli.log_lines import show_log_lines
from synth_engine.cli.options import (
    SEED_MAX,
    OptionGroup,
    command,
    option,
    precision_option,
    preset_option,
    ray_address_option,
    recipe_option,
    seed_option,
    threads_option,
    workers_option,
)
from synth_engine.cli.progress import phase_bars
from synth_engine.training.keras_files import RECIPE
from synth_engine.training.run_folder import RunFolder

COUNT = click.IntRange(1)
Function = TypeVar("Function", bound=Callable[..., Any])


def changes(
    name: str, field: str, kind: click.ParamType[Any], group: OptionGroup, text: str
) -> Callable[[Function], Function]:
    """An option that changes ``field`` of the preset; its parameter is called as the option."""
    parameter = name.partition("/")[0].removeprefix("--").replace("-", "_")
    return preset_option(name, field, kind, text, presets=PRESETS, group=group, parameter=parameter)


@command(
    epilog="Example: python -m classifier.train --real images --recipe my.toml --run runs/classifier. Without --real "
    "the reader learns from synthetic images alone. No label of a real image is read. Ctrl-C saves a checkpoint; "
    "repeat the command with --resume."
)
@option(
    "--real",
    group="Data",
    type=click.Path(),
    show_default="none, no adaptation",
    help="Unlabelled real images to adapt to: a folder of images, a folder of challenge files, or one such file.",
)
@option("--real-limit", group="Data", type=COUNT, show_default="all", help="Use at most this many real images.")
@recipe_option(None, shown="that of --refiner; else hackmit-target with --real, hackmit without")
@option(
    "--refiner",
    group="Data",
    type=click.Path(),
    help="refiner.keras of a gan.train run, with recipe.toml beside it.",
)
@option(
    "--data",
    group="Data",
    type=click.Choice(get_args(DataName)),
    show_default="mixed with --refiner, else raw",
    help="Synthetic images as they are, refined, or half of each.",
)
@seed_option(SEED_MAX)
@option(
    "--preset",
    group="Training",
    default="default",
    show_default=True,
    type=click.Choice(list(PRESETS)),
    help="How long to train: the values of the options that are not given.",
)
@changes(
    "--network",
    "settings.network",
    click.Choice(get_args(NetworkName)),
    "Training",
    "grid: texts of any length, with places. four-head: the original network, fixed length. ctc: any length, no "
    "places.",
)
@changes("--width", "settings.width", COUNT, "Training", "Channels of the grid and ctc networks.")
@changes("--depth", "settings.depth", COUNT, "Training", "3x3 convolutions of the grid and ctc networks.")
@changes("--steps", "settings.steps", click.IntRange(0), "Training", "Steps on synthetic images.")
@option(
    "--start-from",
    group="Training",
    type=click.Path(),
    show_default="a new network",
    help="Go on from this classifier.keras.",
)
@changes("--batch-size", "settings.batch_size", click.IntRange(2), "Training", "Images a step.")
@changes(
    "--learning-rate",
    "settings.learning_rate",
    click.FloatRange(0, min_open=True),
    "Training",
    "Highest learning rate, after the warm-up.",
)
@option(
    "--augment",
    group="Training",
    type=click.Choice(list(AUGMENTATIONS)),
    show_default="wide with a mismatched recipe, else narrow",
    help="How far images are warped in training. A recipe is mismatched if a small network separates its images from "
    "--real with an accuracy of 90% or more; 50 real images are needed to tell. Wide warps bring "
    "--adapt-information with them.",
)
@changes(
    "--refine/--no-refine",
    "refine",
    click.BOOL,
    "Adaptation",
    "Before self-training, train a refiner on --real with gan.train. From then on half of the synthetic images are "
    "refined, if the refiner's assessment says that this helps.",
)
@changes("--refine-steps", "settings.refine_steps", COUNT, "Adaptation", "Steps of that refiner.")
@changes(
    "--adapt",
    "settings.adaptation.method",
    click.Choice(get_args(AdaptationMethod)),
    "Adaptation",
    "What --real is used for; statistics: those of batch normalisation alone.",
)
@changes(
    "--adapt-steps",
    "settings.adaptation.steps",
    click.IntRange(0),
    "Adaptation",
    "Steps of self-training, in all rounds together.",
)
@changes(
    "--adapt-rounds",
    "settings.adaptation.rounds",
    COUNT,
    "Adaptation",
    "Rounds of self-training. Each reads the real images anew.",
)
@option(
    "--adapt-information",
    group="Adaptation",
    type=click.FloatRange(0, 1000),
    show_default=f"{WIDE_INFORMATION} with wide warps, else 0",
    help="Grid network: weight of the information loss, which rewards confident readings with balanced classes.",
)
@option(
    "--adapt-minutes",
    group="Adaptation",
    type=click.FloatRange(0),
    show_default="no limit",
    help="End adaptation after the round in which this time has passed.",
)
@option(
    "--run",
    "folder",
    group="Output",
    default="runs/classifier",
    show_default=True,
    type=click.Path(file_okay=False),
    help="New folder for classifier.keras, recipe.toml, config.json, metrics.csv, checkpoints and, if one is trained, "
    "the refiner's run.",
)
@option(
    "--resume",
    group="Output",
    is_flag=True,
    help="Go on from the last checkpoint in the folder. Give the same options again.",
)
@option("--tensorboard", group="Output", is_flag=True, help="Also write summaries for TensorBoard.")
@workers_option()
@ray_address_option()
@threads_option()
@precision_option()
def train(**given: Any) -> None:
    """Train a reader and write classifier.keras, with recipe.toml, config.json and metrics.csv beside it.

    With --real it also writes what the reader reads there: predictions.csv, calibration.json, scores.json, sheet.png,
    and report.html with all on one page. None of these needs a label. Self-training is undone if it lowers the scores.
    """
    show_log_lines()
    options = TrainOptions.of(**given)
    recipe = choose_recipe(options.data)
    real = load_real(options.data, recipe)
    plan = plan_of(options, recipe, real)
    from classifier.run.session import Session

    session = Session.of(plan)  # all that can go wrong does so before the folder is taken
    config = session.plan.config() | {"real": options.data.real, "real_limit": options.data.real_limit}
    click.echo(json.dumps(config, indent=2))
    folder, resume = options.output.folder, options.output.resume
    run = RunFolder.create(folder, config, resume=resume, may_differ=may_differ(Path(folder)))
    with phase_bars("steps") as progress:
        path = session.train(run, progress)
    click.echo(f"{path} holds the reader, {path.parent / RECIPE} its recipe")
    if real is not None:
        from classifier.run.run_report import write_report

        write_report(path, real, run)


if __name__ == "__main__":
    main_guard(train)
