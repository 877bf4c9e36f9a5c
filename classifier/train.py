"""`python -m classifier.train`: a reader from synthetic images, adapted to unlabelled real ones."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, get_args

import click

from classifier.adaptation.refiner_run import Refining, give_way, may_differ, obstacle
from classifier.learning.settings import (
    AUGMENTATIONS,
    PRESETS,
    ROUGH_INFORMATION,
    DataName,
    Method,
    TrainingSettings,
)
from classifier.networks.head import NetworkName
from synth_engine.cli.guard import main_guard
from synth_engine.fonts.faces import check_fonts
from synth_engine.recipe import Recipe
from synth_engine.synthesizer import Synthesizer
from synth_engine.tensorflow_setup import prepare_tensorflow
from synth_engine.training.keras_files import RECIPE, recipe_beside
from synth_engine.training.precision import PRECISIONS
from synth_engine.training.run_folder import RunFolder

if TYPE_CHECKING:
    from classifier.run.session import Session
    from synth_engine.real import RealImages

COUNT = click.IntRange(1)
Function = TypeVar("Function", bound=Callable[..., Any])


def preset_option(name: str, field: str, kind: click.ParamType[Any], text: str) -> Callable[[Function], Function]:
    """An option that changes ``field`` (a path of attributes) of the preset; its help shows what presets have there."""
    values = {preset: attrgetter(field)(training) for preset, training in PRESETS.items()}
    same = len(set(values.values())) == 1
    shown = str(values["default"]) if same else "; ".join(f"{preset}: {value}" for preset, value in values.items())
    return click.option(name, field.replace(".", "__"), type=kind, default=None, help=text, show_default=shown)


@click.command(
    epilog="Example: python -m classifier.train --real challenges --run runs/classifier. Without --real it learns from "
    "synthetic images alone. No label of a real image is read. Ctrl-C saves a checkpoint; repeat with --resume."
)
@click.option("--real", type=click.Path(), help="Unlabelled real images, to adapt to.  [default: none, no adaptation]")
@click.option(
    "--recipe",
    metavar="NAME|TOML",
    help="Built-in or a file.  [default: the refiner's; without one hackmit-target with --real, else hackmit]",
)
@click.option("--refiner", type=click.Path(), help="refiner.keras of a gan.train run, recipe.toml beside it.")
@click.option(
    "--preset",
    default="default",
    show_default=True,
    type=click.Choice(list(PRESETS)),
    help="How long to learn: the values that options have unless they are given.",
)
@click.option(
    "--data",
    type=click.Choice(get_args(DataName)),
    help="Synthetic images as they are, refined, or half of each.  [default: mixed with --refiner, else raw]",
)
@preset_option(
    "--network",
    "network",
    click.Choice(get_args(NetworkName)),
    "grid: any length, places too. four-head: the original's, fixed length. ctc: any length, no places.",
)
@preset_option("--width", "width", COUNT, "Grid network: channels.")
@preset_option("--depth", "depth", COUNT, "Grid network: 3x3 convolutions.")
@preset_option("--steps", "steps", click.IntRange(0), "Steps on synthetic images.")
@click.option(
    "--start-from", type=click.Path(), help="Go on from this classifier.keras.  [default: a network newly drawn]"
)
@preset_option("--batch-size", "batch_size", click.IntRange(2), "Images a step.")
@preset_option("--learning-rate", "learning_rate", click.FloatRange(0, min_open=True), "Highest, after warming up.")
@click.option(
    "--augment",
    type=click.Choice(list(AUGMENTATIONS)),
    help="How far images are warped while learning.  [default: wide where a fresh network tells the recipe's images "
    "from --real nine times in ten, so that the recipe is a rough description; else, and without --real or with fewer "
    "than 50 images, narrow]  Wide warps bring --adapt-information with them.",
)
@preset_option(
    "--refine/--no-refine",
    "refine",
    click.BOOL,
    "Before self-training, train a refiner on --real with gan.train; half of the synthetic images are refined from "
    "there on, if its assessment says that this helps.",
)
@preset_option("--refine-steps", "refine_steps", COUNT, "Steps of that refiner.")
@preset_option(
    "--adapt",
    "adaptation.method",
    click.Choice(get_args(Method)),
    "What --real is used for; statistics: of batch normalisation alone.",
)
@preset_option("--adapt-steps", "adaptation.steps", click.IntRange(0), "Steps of self-training in all rounds together.")
@preset_option(
    "--adapt-rounds", "adaptation.rounds", COUNT, "Rounds of self-training; each reads the real images anew."
)
@preset_option(
    "--adapt-information",
    "adaptation.information",
    click.FloatRange(0, 1000),
    "Grid network: weight, beside the error on pseudo-labels, of reading real texts surely and no class too often. "
    f"None: {ROUGH_INFORMATION} where warps are wide, else 0.",
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
    help="Folder for classifier.keras, recipe.toml, config.json, metrics.csv, checkpoints and, where trained, the "
    "refiner's folder.",
)
@click.option("--resume", is_flag=True, help="Go on from the folder's last checkpoint; give the same options again.")
@click.option("--seed", default=0, show_default=True, type=click.IntRange(0, 2**31 - 1), help="Of every random draw.")
@click.option("--workers", default=0, show_default=True, type=click.IntRange(0), help="Ray actors; 0: threads here.")
@click.option("--ray-address", metavar="HOST:PORT", help="Of a running Ray cluster.  [default: one started here]")
@click.option("--threads", type=COUNT, help="TensorFlow's threads.  [default: one a core]")
@click.option(
    "--precision", type=click.Choice(PRECISIONS), help="Of convolutions.  [default: the fastest that this machine has]"
)
@click.option("--tensorboard", is_flag=True, help="Also write summaries for TensorBoard.")
def train(folder: str, resume: bool, threads: int | None, **options: Any) -> None:
    """Train a reader and write classifier.keras with recipe.toml, config.json and metrics.csv beside it.

    With --real also what it reads there: predictions.csv, calibration.json, scores.json (no label is needed for any),
    sheet.png, and all on one page, report.html. What self-training makes worse by its scores is not kept.
    """
    recipe = choose_recipe(options["recipe"], options["refiner"], options["real"] is not None)
    check_fonts(recipe)
    target = _target(options["real"], recipe, options["real_limit"]) if options["real"] else None
    settings = resolve(options, 0 if target is None else len(target.images))
    session = _session(recipe, settings, threads, target, Path(folder) if resume else None, options)
    learner = session.learner()  # all that can go wrong does so before the folder is taken
    config = {
        **learner.settings.as_dict(),
        "recipe": recipe.name,
        "recipe_key": recipe.key,
        **{name: options[name] for name in ("real", "real_limit", "refiner", "start_from")},
    }
    click.echo(json.dumps(config, indent=2))
    run = RunFolder.create(folder, config, resume=resume, may_differ=may_differ(Path(folder)))
    path = session.train(learner, run, click.echo)
    click.echo(f"{path} holds the reader, {path.parent / RECIPE} its recipe")
    if target is not None:
        from classifier.run.run_report import write_outcome

        write_outcome(path, target, run, click.echo)


def choose_recipe(name: str | None, refiner: str | None, has_real: bool) -> Recipe:
    """The recipe asked for; else the refiner's; else the one fitted to the contest's real images, if there are any.

    Warns on stderr of a refiner that was made for another recipe than the one asked for.
    """
    if name is None:
        return recipe_beside(refiner) if refiner else Recipe.resolve("hackmit-target" if has_real else "hackmit")
    recipe = Recipe.resolve(name).require_binary()
    if refiner and Path(refiner).with_name(RECIPE).is_file():
        _warn_of_another(recipe, refiner)
    return recipe


def _warn_of_another(recipe: Recipe, refiner: str) -> None:
    made_for = recipe_beside(refiner)
    if made_for.key != recipe.key:
        click.echo(
            f"warning: {refiner} was trained with recipe {made_for.name} ({made_for.key[:12]}), --recipe is "
            f"{recipe.name} ({recipe.key[:12]}); leave --recipe out to use the refiner's",
            err=True,
        )


def resolve(options: dict[str, Any], real: int) -> TrainingSettings:
    """Checked settings from the command's options and the number of real images; RunError if they do not fit."""
    preset = PRESETS[options["preset"]]
    given = {name: value for name, value in options.items() if value is not None}
    names = ("network", "width", "depth", "steps", "batch_size", "learning_rate", "refine", "refine_steps", "seed")
    adapting = {name.partition("__")[2]: value for name, value in given.items() if name.startswith("adaptation__")}
    data: DataName = options["data"] or ("mixed" if options["refiner"] else "raw")
    changes: dict[str, Any] = {name: given[name] for name in names if name in given}
    changes["augmentation"] = AUGMENTATIONS[options["augment"] or "narrow"]
    settings = replace(preset, data=data, adaptation=replace(preset.adaptation, **adapting), **changes)
    problem = obstacle(settings, real, options["refiner"]) if settings.refine else None
    return give_way(settings, problem, required=bool(options["refine"]), echo=click.echo)


def _session(
    recipe: Recipe,
    settings: TrainingSettings,
    threads: int | None,
    target: RealImages | None,
    resumed: Path | None,
    options: dict[str, Any],
) -> Session:
    """The session of these options; raises SynthError for fonts or an installation of no use."""
    Synthesizer(recipe, settings.seed).batch(0, 1)
    prepare_tensorflow(settings.seed, threads, deterministic=True)
    from classifier.adaptation.recipe_gap import augmentation_for
    from classifier.learning.batches import Source
    from classifier.run.session import Session
    from synth_engine.training.precision import best_precision

    settings = replace(settings, precision=options["precision"] or best_precision())
    if target is not None and options["augment"] is None:
        settings = replace(settings, augmentation=augmentation_for(target.images, recipe, settings.seed, resumed))
    source = Source(recipe=recipe, seed=settings.seed, workers=options["workers"], ray_address=options["ray_address"])
    others = {name: options[name] for name in ("refiner", "start_from", "tensorboard", "adapt_minutes")}
    others["refining"] = _refining(threads, options) if settings.refine else None
    return Session(settings=settings, source=source, real=None if target is None else target.images, **others)


def _refining(threads: int | None, options: dict[str, Any]) -> Refining:
    real, limit = options["real"], options["real_limit"]
    return Refining(real=real, real_limit=limit, threads=threads, required=bool(options["refine"]))


def _target(path: str, recipe: Recipe, limit: int | None) -> RealImages:
    from synth_engine.real import differences, load_real_images, warning_of

    target = load_real_images(path, recipe, limit)
    found = differences(target.images, recipe)
    for line in (*target.report.lines(), f"farthest from recipe {recipe.name}: {found[0]}"):
        click.echo(f"{path}: {line}")
    if warning := warning_of(found):
        click.echo(f"warning: {path}: {warning}", err=True)
    return target


if __name__ == "__main__":
    main_guard(train)
