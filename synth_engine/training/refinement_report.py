"""What `gan` and those who use its refiner exchange in files: the names of a run's files, its report, its options.

`gan.train` is started with the options of a `RefinerRequest`. Its run folder then holds `REFINER`, the network,
``recipe.toml`` and `ASSESSMENT`, a `RefinementReport` as JSON, which is written last. `gan.settings.targets` lays down
which targets there are.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import msgspec

from synth_engine.errors import RunError
from synth_engine.json_files import read_json, write_json

COMMAND = (sys.executable, "-m", "gan.train")
REFINER, ASSESSMENT = "refiner.keras", "assessment.json"
KIND = "refinement report"


class RefinerRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Options of `gan.train`; paths should be absolute, as it compares them as text when it resumes.

    real: images or challenge files; recipe, reader: a recipe file and a ``classifier.keras``; run: the run's folder.
    """

    real: str
    recipe: str
    reader: str
    run: str
    steps: int
    precision: str
    seed: int
    workers: int = 0
    real_limit: int | None = None
    ray_address: str | None = None
    threads: int | None = None
    resume: bool = False

    def options(self) -> list[str]:
        """The command line that follows `COMMAND`; None and False stand for options that are left out."""
        line: list[str] = []
        for field, value in msgspec.structs.asdict(self).items():
            name = f"--{field.replace('_', '-')}"
            if value is True:
                line.append(name)
            elif value is not None and value is not False:
                line += [name, str(value)]
        return line


class RefinerMetrics(msgspec.Struct, frozen=True, kw_only=True):
    """What is measured of a refiner at one ``step``, on held-out images; None where that needs a reader.

    Shares lie in [0, 1]. ``*_raw`` is the same of unrefined synthetic images.

    mean_change: mean absolute change of a pixel in the network's output, over the range of values.
    changed_pixels: share of pixels that differ once refined images are binary.
    accuracy_real, accuracy_refined: share that the discriminator classifies correctly, shown without noise.
    two_sample_accuracy: of fresh classifiers between refined and real images; 0.5: no difference found.
    relative_deviation: standard deviation of a pixel over images, mean over pixels, relative to raw images.
    kernel_distance: squared MMD between refined and real images in the reader's features.
    label_preservation: characters that the reader reads correctly on refined images, over those on raw ones.
    label_preservation_worst: the same of the character class where it is lowest.
    """

    step: int
    mean_change: float
    changed_pixels: float
    accuracy_real: float
    accuracy_refined: float
    two_sample_accuracy: float
    two_sample_accuracy_raw: float
    relative_deviation: float
    kernel_distance: float | None = None
    kernel_distance_raw: float | None = None
    label_preservation: float | None = None
    label_preservation_worst: float | None = None

    @property
    def accuracy(self) -> float:
        """The discriminator's accuracy on as many refined as real images."""
        return (self.accuracy_real + self.accuracy_refined) / 2

    def as_row(self) -> dict[str, str | float]:
        """A row of ``assessment.csv``: what was not measured is empty."""
        values = {name: "" if value is None else value for name, value in msgspec.structs.asdict(self).items()}
        return {**values, "step": str(self.step)}

    @classmethod
    def from_row(cls, row: dict[str, str]) -> RefinerMetrics:
        """From a row of ``assessment.csv``; raises RunError if it is damaged."""
        try:
            return msgspec.convert({name: value or None for name, value in row.items()}, cls, strict=False)
        except msgspec.ValidationError as error:
            raise RunError(f"assessment.csv is damaged ({error}); start a new run in another folder", row) from error

    def __str__(self) -> str:
        values = msgspec.structs.asdict(self).items()
        return "  ".join(f"{name} {value:.4f}" for name, value in values if isinstance(value, float))


METRIC_COLUMNS = RefinerMetrics.__struct_fields__  # of assessment.csv


class MetricTarget(msgspec.Struct, frozen=True):
    """A metric's name, its target value and its own as text, and whether it reaches that; None: not measured.

    ``needed``: whether a refiner must reach it before a reader learns from its images.
    """

    name: str
    wanted: str
    received: str
    reached: bool | None
    needed: bool


class RefinementReport(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a refiner.

    ``helps``: whether a reader should learn from its images; ``chosen``: metrics of the step whose weights were saved,
    for the ``reason`` given; ``last``: those of the last step assessed; ``targets``: what ``chosen`` is compared with.
    """

    helps: bool
    reason: str
    chosen: RefinerMetrics
    last: RefinerMetrics
    targets: tuple[MetricTarget, ...]

    def write(self, folder: Path) -> None:
        """Write it into a run's folder, whole or not at all; raises OSError."""
        values: dict[str, Any] = msgspec.to_builtins(self)
        write_json(folder / ASSESSMENT, KIND, values)

    @classmethod
    def read(cls, folder: Path, *, remedy: str) -> RefinementReport:
        """From a run's folder.

        Raises RunError, whose message ends in ``remedy``, if it is missing, damaged, or of an unknown format version.
        """
        path = folder / ASSESSMENT
        values = read_json(path, KIND, error=RunError, remedy=remedy)
        try:
            return msgspec.convert(values, cls)
        except msgspec.ValidationError as error:
            raise RunError(f"{path} is damaged: {error}; {remedy}", path) from error
