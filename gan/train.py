"""`python -m gan.train`: refine the images of a recipe against unlabelled real ones."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from gan.settings.config import PRESETS, Config
from gan.settings.options import GanTrainOptions
from synth_engine.cli.guard import main_guard
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
from synth_engine.errors import RealImagesError
from synth_engine.recipe import Recipe
from synth_engine.synthesizer import Synthesizer
from synth_engine.tensorflow_setup import prepare_tensorflow
from synth_engine.training.keras_files import RECIPE
from synth_engine.training.precision import best_precision
from synth_engine.training.refinement_report import REFINER, RefinementReport
from synth_engine.training.run_folder import CONFIG, RunFolder, read_config
from synth_engine.training.tensorboard import check_tensorboard

if TYPE_CHECKING:
    from gan.run.data import Images

Function = TypeVar("Function", bound=Callable[..., Any])

DEMO_IMAGES = 2_000
DEMO_RECIPE, REAL_RECIPE = "captcha-draft", "hackmit-target"
COUNT = click.IntRange(1)
NOT_NEGATIVE = click.FloatRange(0)
POSITIVE = click.FloatRange(0, min_open=True)


def config_option(
    name: str, field: str, kind: click.ParamType[Any], text: str, group: OptionGroup = "Training"
) -> Callable[[Function], Function]:
    """An option that changes ``field`` of the preset."""
    return preset_option(name, field, kind, text, presets={name: Config.preset(name) for name in PRESETS}, group=group)


@command(
    epilog="Example: python -m gan.train --real challenges --recipe hackmit --steps 500 --run runs/gan. "
    "Ctrl-C saves a checkpoint; repeat the command with --resume to go on."
)
@option(
    "--real", group="Data", type=click.Path(), help="Unlabelled images: a folder of images or challenge files.",
    show_default="rendered by the package captcha",
)  # fmt: skip
@option("--real-limit", group="Data", type=COUNT, help="Largest number of real images to use.", show_default="all")
@recipe_option(None, shown=f"{REAL_RECIPE} with --real, else {DEMO_RECIPE}")
@option(
    "--reader", group="Data", type=click.Path(),
    help="A classifier.keras, which is not trained: it measures whether refined images still show their labels.",
)  # fmt: skip
@seed_option(SEED_MAX)
@option(
    "--preset", group="Training", default="modern", show_default=True, type=click.Choice(PRESETS),
    help="Values of the options that are not given. paper: networks and schedule of 2017, as a reference, for a GPU.",
)  # fmt: skip
@config_option("--steps", "steps", COUNT, "Adversarial steps.")
@config_option("--batch-size", "batch_size", click.IntRange(2), "Images in a batch; even.")
@config_option("--lambda", "self_reg_weight", NOT_NEGATIVE, "Smallest self-regularisation weight.")
@config_option("--label-weight", "label_weight", NOT_NEGATIVE, "Largest weight of the label loss; with --reader.")
@config_option("--r1-weight", "r1_weight", NOT_NEGATIVE, "Weight of the R1 penalty.")
@config_option("--refiner-rate", "refiner_rate", POSITIVE, "Learning rate of the refiner.")
@config_option("--discriminator-rate", "discriminator_rate", POSITIVE, "Learning rate of the discriminator.")
@config_option("--refiner-updates", "refiner_updates", COUNT, "Updates of the refiner in a step: the paper's K_g.")
@config_option(
    "--discriminator-updates", "discriminator_updates", COUNT, "Updates of the discriminator in a step: K_d."
)
@config_option(
    "--noise", "noise_stddev", NOT_NEGATIVE,
    "Standard deviation of the noise on the discriminator's input at first, for pixels in [-1, 1].",
)  # fmt: skip
@config_option(
    "--cutout-px", "cutout_px", click.IntRange(0, 64), "Side of a square hidden from the discriminator, px; 0: none."
)
@option(
    "--run", "folder", group="Output", default="runs/gan", show_default=True, type=click.Path(file_okay=False),
    help="Folder for the results.",
)  # fmt: skip
@option(
    "--resume", group="Output", is_flag=True,
    help="Go on from the folder's last checkpoint; give the same options again.",
)  # fmt: skip
@config_option("--report-steps", "report_steps", COUNT, "Steps between rows of metrics.csv.", "Output")
@config_option("--assess-steps", "assess_steps", COUNT, "Steps between rows of assessment.csv.", "Output")
@config_option("--sheet-steps", "sheet_steps", COUNT, "Steps between sheets, rounded up to a report.", "Output")
@config_option(
    "--checkpoint-steps", "checkpoint_steps", COUNT, "Steps between checkpoints, rounded up to a report.", "Output"
)
@option("--tensorboard", group="Output", is_flag=True, help="Also write summaries for TensorBoard.")
@workers_option()
@ray_address_option()
@threads_option()
@precision_option("Number format of the refiner in training.")
def train(**given: Any) -> None:
    """Train a refiner and write that of the best step as refiner.keras, with recipe.toml and report.html.

    Beside them are config.json, metrics.csv, assessment.csv and .json, sheet.png and sheets.gif.

    Without options it needs no data and no labels: it renders its own real images with the package `captcha`.
    """
    options = GanTrainOptions.of(given)
    report, run = _train(options)
    from gan.run.report import PAGE, report_lines

    for line in report_lines(report):
        click.echo(line)
    click.echo(f"{run / REFINER} holds the refiner; look at {run / PAGE}; {CONFIG} repeats the run")


def _train(options: GanTrainOptions) -> tuple[RefinementReport, RunFolder]:
    config, recipe = options.config, _choose_recipe(options)
    check_tensorboard(options.tensorboard)  # all that can go wrong does so before the folder is taken
    Synthesizer(recipe, config.seed).batch(0, 1)
    images = _read(options.real, recipe, options.real_limit) if options.real else None
    if images is None:
        _check_demo(recipe, config.seed)
    prepare_tensorflow(config.seed, options.threads, deterministic=True)
    from gan.run.run import RefinerRun, Workers
    from gan.simgan.label_judge import LabelJudge

    config = config.replace(precision=options.precision or _default_precision(options))
    given = {"real": options.real, "real_limit": options.real_limit, "reader": options.reader}
    resolved = {**config.as_dict(), "recipe": recipe.name, "recipe_key": recipe.key, **given}
    click.echo(json.dumps(resolved, indent=2))
    judge = LabelJudge.load(options.reader, recipe) if options.reader else None
    run = RunFolder.create(options.folder, resolved, resume=options.resume)
    recipe.save(run.path / RECIPE)
    if images is None:
        images = _read(_render_demo(run.path / "demo", DEMO_IMAGES, config.seed), recipe)
    where = Workers(options.workers, options.ray_address)
    with phase_bars("steps") as progress:
        training = RefinerRun(
            config, recipe, images, run, where, judge=judge, progress=partial(progress, "training"),
            tensorboard=options.tensorboard,
        )  # fmt: skip
        if options.resume:
            training.resume()
        return training.train(), run


def _choose_recipe(options: GanTrainOptions) -> Recipe:
    """The recipe asked for, or a built-in one, which the terminal then names."""
    if options.recipe is not None:
        return Recipe.resolve(options.recipe).require_binary()
    if options.real is None:
        click.echo(f"recipe {DEMO_RECIPE}, as no --real and no --recipe is given: it suits the demonstration's images")
        return Recipe.resolve(DEMO_RECIPE).require_binary()
    click.echo(
        f"recipe {REAL_RECIPE}, as no --recipe is given: it describes the images of the HackMIT contest; for other "
        "images give --recipe NAME|TOML"
    )
    return Recipe.resolve(REAL_RECIPE).require_binary()


def _default_precision(options: GanTrainOptions) -> str:
    """The fastest on this machine; a resumed run goes on in its own, whatever the machine.

    A run without a readable configuration is refused later, with its reason.
    """
    if not options.resume:
        return best_precision()
    return str((read_config(Path(options.folder)) or {}).get("precision", "float32"))


def _read(path: str | Path, recipe: Recipe, limit: int | None = None) -> Images:
    """The real images in ``path``; raises RealImagesError, which names --recipe if their size is not the recipe's."""
    from synth_engine.real import IntakeReport, load_real_images

    try:
        real = load_real_images(path, recipe, limit)
    except RealImagesError as error:
        if isinstance(error.value, IntakeReport) and error.value.wrong_size:
            raise RealImagesError(f"{error}; --recipe NAME|TOML chooses another recipe", error.value) from error
        raise
    for line in real.report.lines():
        click.echo(f"{path}: {line}")
    return real.images


def _render_demo(folder: Path, count: int, seed: int) -> Path:
    from synth_engine.real import make_demo

    click.echo(f"rendering {count} images with the package captcha, as --real is not given")
    return make_demo(folder, count, seed).images


def _check_demo(recipe: Recipe, seed: int) -> None:
    """Raise RealImagesError if the demonstration cannot be rendered or its images are not of the recipe's size."""
    from synth_engine.real import load_real_images, make_demo

    with tempfile.TemporaryDirectory() as folder:
        load_real_images(make_demo(folder, 1, seed).images, recipe)


if __name__ == "__main__":
    main_guard(train)
