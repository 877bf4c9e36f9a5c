"""`python -m gan.train`: refine the images of a recipe against unlabelled real ones."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from gan.settings.config import PRESETS, Config
from synth_engine.cli.guard import main_guard
from synth_engine.errors import RunError
from synth_engine.recipe import Recipe
from synth_engine.synthesizer import Synthesizer
from synth_engine.tensorflow_setup import prepare_tensorflow
from synth_engine.training.keras_files import RECIPE
from synth_engine.training.precision import PRECISIONS, best_precision
from synth_engine.training.run_folder import CONFIG, RunFolder, read_config
from synth_engine.training.tensorboard import check_tensorboard

if TYPE_CHECKING:
    from gan.run.data import Images

Function = TypeVar("Function", bound=Callable[..., Any])

DEMO_IMAGES = 2_000
COUNT = click.IntRange(1)
NOT_NEGATIVE = click.FloatRange(0)
POSITIVE = click.FloatRange(0, min_open=True)
FOLDER = click.Path(file_okay=False)


def preset_option(name: str, field: str, kind: click.ParamType[Any], text: str) -> Callable[[Function], Function]:
    """An option that changes ``field`` of the preset; its help shows what each preset has there."""
    defaults = "; ".join(f"{preset}: {getattr(Config.preset(preset), field)}" for preset in PRESETS)
    return click.option(name, field, type=kind, help=text, show_default=defaults)


@click.command(
    epilog="Example: python -m gan.train --real challenges --recipe hackmit --steps 500 --run runs/gan. "
    "Ctrl-C saves a checkpoint; repeat the command with --resume to go on."
)
@click.option("--real", type=click.Path(), help="Images or challenge files.", show_default="drawn by `captcha`")
@click.option("--real-limit", type=COUNT, help="Use no more than so many of them.", show_default="all")
@click.option(
    "--recipe",
    metavar="NAME|TOML",
    help="Built-in or a file.",
    show_default="hackmit-target with --real, else captcha-draft",
)
@click.option("--reader", type=click.Path(), help="A frozen classifier.keras that judges whether labels are kept.")
@click.option(
    "--preset", default="modern", show_default=True, type=click.Choice(PRESETS), help="paper: as of 2017, for a GPU."
)
@click.option("--run", "folder", default="runs/gan", show_default=True, type=FOLDER, help="Where results go.")
@click.option("--resume", is_flag=True, help="Go on from the folder's last checkpoint; give the same options again.")
@click.option("--seed", default=0, show_default=True, type=click.IntRange(0, 2**31 - 1), help="Of every random draw.")
@click.option("--workers", default=0, show_default=True, type=click.IntRange(0), help="Ray actors; 0: threads here.")
@click.option("--ray-address", metavar="HOST:PORT", help="A running Ray cluster.", show_default="one started here")
@click.option("--threads", type=COUNT, help="TensorFlow's threads.", show_default="one a core")
@click.option("--tensorboard", is_flag=True, help="Also write summaries for TensorBoard.")
@click.option(
    "--precision", type=click.Choice(PRECISIONS), help="Of the refiner in training.  [default: the fastest here]"
)
@preset_option("--steps", "steps", COUNT, "Adversarial steps.")
@preset_option("--batch-size", "batch_size", click.IntRange(2), "Images a batch, even.")
@preset_option("--lambda", "self_reg_weight", NOT_NEGATIVE, "Weight of the mean change.")
@preset_option("--label-weight", "label_weight", NOT_NEGATIVE, "Weight of what --reader reads worse, at most.")
@preset_option("--r1-weight", "r1_weight", NOT_NEGATIVE, "Weight of the discriminator's slope at real images.")
@preset_option("--refiner-rate", "refiner_rate", POSITIVE, "The refiner's learning rate.")
@preset_option("--discriminator-rate", "discriminator_rate", POSITIVE, "The discriminator's learning rate.")
@preset_option("--refiner-updates", "refiner_updates", COUNT, "Refiner's updates a step, the paper's K_g.")
@preset_option("--discriminator-updates", "discriminator_updates", COUNT, "Discriminator's updates a step, K_d.")
@preset_option("--noise", "noise_stddev", NOT_NEGATIVE, "Deviation of the noise it sees at first, values in [-1, 1].")
@preset_option("--report-steps", "report_steps", COUNT, "Steps between rows of metrics.csv.")
@preset_option("--cutout-px", "cutout_px", click.IntRange(0, 64), "Side of a square hidden from it, px; 0: none.")
@preset_option("--assess-steps", "assess_steps", COUNT, "Steps between rows of assessment.csv.")
@preset_option("--sheet-steps", "sheet_steps", COUNT, "Steps between sheets, rounded up to a report.")
@preset_option("--checkpoint-steps", "checkpoint_steps", COUNT, "Steps between checkpoints, rounded up to a report.")
def train(
    real: str | None, real_limit: int | None, recipe: str | None, reader: str | None, preset: str, folder: str,
    resume: bool, workers: int, ray_address: str | None, threads: int | None, tensorboard: bool, **changes: Any,
) -> None:  # fmt: skip
    """Train a refiner and write the best step's as refiner.keras, with recipe.toml and report.html on the run.

    Beside them lie config.json, metrics.csv, assessment.csv and .json, sheet.png and sheets.gif.

    Without options it needs no data and no labels: it draws its own real images with the package `captcha`.
    """
    config = Config.preset(preset, **changes)
    if changes["label_weight"] and not reader:
        raise RunError("--label-weight needs a classifier to be asked: give --reader FILE", config.label_weight)
    source = Recipe.resolve(recipe or ("hackmit-target" if real else "captcha-draft")).require_binary()
    check_tensorboard(tensorboard)  # all that can go wrong does so before the folder is taken
    Synthesizer(source, config.seed).batch(0, 1)
    images = _read(real, source, real_limit) if real else None
    if images is None:
        _check_demo(source, config.seed)
    prepare_tensorflow(config.seed, threads, deterministic=True)
    from gan.run.run import REFINER, Training, Workers
    from gan.simgan.label_judge import LabelJudge

    config = config.replace(
        precision=changes["precision"] or (_stored_precision(folder) if resume else best_precision())
    )
    given = {"real": real, "real_limit": real_limit, "reader": reader}
    resolved = {**config.as_dict(), "recipe": source.name, "recipe_key": source.key, **given}
    click.echo(json.dumps(resolved, indent=2))
    judge = LabelJudge.load(reader, source) if reader else None
    run = RunFolder.create(folder, resolved, resume=resume)
    source.save(run.path / RECIPE)
    if images is None:
        images = _read(_draw_demo(run.path / "demo", DEMO_IMAGES, config.seed), source)
    where = Workers(workers, ray_address)
    training = Training(config, source, images, run, where, tensorboard=tensorboard, reader=judge)
    if resume:
        training.resume()
    verdict = training.train()
    click.echo(f"{run.path / REFINER} holds the refiner; look at {run.path / 'report.html'}; {CONFIG} repeats the run")
    click.echo(f"verdict: {verdict}")


def _stored_precision(folder: str) -> str:
    """What a run goes on in, wherever; one without a readable configuration is refused later, with its reason."""
    stored = read_config(Path(folder)) or {}
    return str(stored.get("precision", "float32"))


def _read(path: str | Path, recipe: Recipe, limit: int | None = None) -> Images:
    from synth_engine.real import load_real_images

    target = load_real_images(path, recipe, limit)
    for line in target.report.lines():
        click.echo(f"{path}: {line}")
    return target.images


def _draw_demo(folder: Path, count: int, seed: int) -> Path:
    from synth_engine.real import make_demo

    click.echo(f"drawing {count} images with the package captcha, as --real is not given")
    return make_demo(folder, count, seed).images


def _check_demo(recipe: Recipe, seed: int) -> None:
    """Raise RealImagesError if the demonstration cannot be drawn or its images are not of the recipe's size."""
    from synth_engine.real import load_real_images, make_demo

    with tempfile.TemporaryDirectory() as folder:
        load_real_images(make_demo(folder, 1, seed).images, recipe)


if __name__ == "__main__":
    main_guard(train)
