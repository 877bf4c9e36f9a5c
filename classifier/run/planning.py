"""From the options of `classifier.train` to the plan of a run: recipe, real images, refiner, warps, precision."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from classifier.adaptation.refiner_plan import GivenRefiner, RefinerPlan, may_refine, obstacle
from classifier.run.options import DataOptions, TrainOptions
from synth_engine.errors import RealImagesError
from synth_engine.fonts.faces import check_fonts
from synth_engine.recipe import Recipe
from synth_engine.synthesizer import Synthesizer
from synth_engine.tensorflow_setup import prepare_tensorflow
from synth_engine.training.keras_files import RECIPE, recipe_beside

if TYPE_CHECKING:
    from classifier.learning.settings import TrainingSettings
    from classifier.run.session import RunPlan
    from synth_engine.real import RealImages

REAL_RECIPE, SYNTHETIC_RECIPE = "hackmit-target", "hackmit"  # with and without real images

log = logging.getLogger(__name__)


def choose_recipe(options: DataOptions) -> Recipe:
    """The recipe asked for; else the refiner's; else a built-in one of the reference task. Logs a choice of its own.

    Logs a warning if the refiner was trained with another recipe than the one asked for.
    """
    name, refiner = options.recipe, options.refiner
    if name is not None:
        recipe = Recipe.resolve(name).require_binary()
        if refiner and Path(refiner).with_name(RECIPE).is_file():
            _warn_of_another(recipe, refiner)
        return recipe
    if refiner:
        recipe = recipe_beside(refiner)
        log.info("recipe %s: that of the refiner, as --recipe is not given", recipe.name)
        return recipe
    recipe = Recipe.resolve(SYNTHETIC_RECIPE if options.real is None else REAL_RECIPE)
    fitted = "made like" if options.real is None else "fitted to"
    log.info(
        f"recipe {recipe.name}: the default, {fitted} the captchas of the reference task; for images of another kind "
        "give --recipe NAME|TOML"
    )
    return recipe


def _warn_of_another(recipe: Recipe, refiner: str) -> None:
    made_for = recipe_beside(refiner)
    if made_for.key != recipe.key:
        log.warning(
            f"{refiner} was trained with recipe {made_for.name} ({made_for.key[:12]}), --recipe is "
            f"{recipe.name} ({recipe.key[:12]}); leave --recipe out to use the refiner's"
        )


def load_real(options: DataOptions, recipe: Recipe) -> RealImages | None:
    """The real images asked for; logs what was found, and a warning where they differ much from the recipe's.

    Raises RealImagesError if none can be used; where none has the recipe's size, it names --recipe.
    """
    from synth_engine.real import ink_differences, load_real_images, mismatch_warning

    path = options.real
    if path is None:
        return None
    try:
        found = load_real_images(path, recipe, options.real_limit)
    except RealImagesError as error:
        if getattr(error.value, "wrong_size", None):
            raise RealImagesError(
                f"{error}; or name a recipe of their size: --recipe NAME|TOML", error.value
            ) from error
        raise
    differing = ink_differences(found.images, recipe)
    for line in (*found.report.lines(), f"farthest from recipe {recipe.name}: {differing[0]}"):
        log.info(f"{path}: {line}")
    if warning := mismatch_warning(differing):
        log.warning(f"{path}: {warning}")
    return found


def refiner_for(options: TrainOptions, settings: TrainingSettings, real: int) -> GivenRefiner | RefinerPlan | None:
    """Where refined images come from, with ``real`` real images at hand.

    Raises RunError if the user asks the run to train a refiner and it cannot; if the preset does, logs why not.
    """
    data, required = options.data, bool(options.adaptation.refine)
    trains = options.wants_refiner and may_refine(obstacle(settings, real, data.refiner), required=required)
    if trains and data.real is not None:
        threads = options.machine.threads
        return RefinerPlan(real=data.real, real_limit=data.real_limit, threads=threads, required=required)
    return GivenRefiner(path=data.refiner, data=data.data or "mixed") if data.refiner else None


def plan_of(options: TrainOptions, recipe: Recipe, real: RealImages | None) -> RunPlan:
    """The plan; prepares TensorFlow, with the run's seed and threads.

    Raises SynthError for options, fonts or an installation that cannot be used.
    """
    settings = options.settings()
    refiner = refiner_for(options, settings, 0 if real is None else len(real.images))
    check_fonts(recipe)
    Synthesizer(recipe, settings.seed).batch(0, 1)
    prepare_tensorflow(settings.seed, options.machine.threads, deterministic=True)
    from classifier.adaptation.recipe_gap import augmentation_for
    from classifier.learning.batches import Source
    from classifier.run.session import RunPlan
    from synth_engine.training.precision import best_precision

    if options.machine.precision is None:
        settings = replace(settings, precision=best_precision())
    if real is not None and options.learning.augment is None:
        resumed = Path(options.output.folder) if options.output.resume else None
        settings = replace(settings, augmentation=augmentation_for(real.images, recipe, settings.seed, resumed))
    machine = options.machine
    return RunPlan(
        settings=settings,
        source=Source(recipe=recipe, seed=settings.seed, workers=machine.workers, ray_address=machine.ray_address),
        real=None if real is None else real.images,
        refiner=refiner,
        start_from=options.learning.start_from,
        tensorboard=options.output.tensorboard,
        adapt_minutes=options.adaptation.adapt_minutes,
    )
