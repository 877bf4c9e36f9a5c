"""Settings of a training run: frozen values, checked when they are made. Nothing is computed here."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Literal, get_args

from classifier.networks.head import NetworkName
from synth_engine.errors import RunError
from synth_engine.training.precision import PRECISIONS, Precision

DataName = Literal["raw", "refined", "mixed"]
AdaptationMethod = Literal["none", "statistics", "self-training"]


@dataclass(frozen=True, kw_only=True)
class Augmentation:
    """Ranges of the random warp of each binary image. Those up to ``level`` are symmetric around "unchanged".

    The image is resampled bilinearly and binarised again at a random level in [-level, level] (of [-1, 1]). That thins
    or thickens strokes by a fraction of a pixel, and by more after a blur. Noise frays edges; the strongest leaves
    specks on the ground and holes in the ink.
    """

    rotation_deg: float = 4.0
    scale: float = 0.08
    shear: float = 0.08
    shift_px: float = 1.5
    level: float = 0.5
    blur_px: float = 0.0  # sigma of a blur, blended in by 0 to 1 in half of the images
    wobble: float = 0.0  # standard deviation of coarse noise on [-1, 1], added in half of the images


NARROW = Augmentation()
WIDE = Augmentation(rotation_deg=8.0, scale=0.2, shear=0.2, shift_px=3.0, level=0.6, blur_px=1.2, wobble=0.6)
AUGMENTATIONS = {"narrow": NARROW, "wide": WIDE}
WIDE_INFORMATION = 0.2  # `Adaptation.information` with wide warps: a mismatched recipe confuses classes


@dataclass(frozen=True, kw_only=True)
class Adaptation:
    """How unlabelled real images are used; all fields but ``method`` are for self-training."""

    method: AdaptationMethod = "self-training"
    rounds: int = 12
    steps: int = 2400  # in all rounds together
    learning_rate: float = 5e-4
    warmup_steps: int = 50
    keep_first: float = 0.6  # share of a class's expected characters that may teach in the first round
    keep_last: float = 0.9  # the same in the last round
    certainty_min: float = 0.5
    align: float = 0.5  # how far class shares are moved to the expected ones, from 0 to 1
    temperature: float = 2.0  # divides scores before aligning: networks are overconfident
    real_share: float = 0.5  # of each batch
    information: float | None = None  # weight of `information_loss`; None: chosen by warps and network
    view: Augmentation = field(
        default_factory=lambda: Augmentation(rotation_deg=3.0, scale=0.04, shear=0.04, shift_px=2.0, level=0.3)
    )

    @property
    def teaches(self) -> bool:
        """Whether the network learns from real images."""
        return self.method == "self-training" and self.steps > 0


@dataclass(frozen=True, kw_only=True)
class TrainingSettings:
    """How a reader is trained. Steps are optimiser steps of ``batch_size`` images; 0 leaves the network as it is."""

    network: NetworkName = "grid"
    width: int = 64
    depth: int = 4
    precision: Precision = "float32"  # the command takes the fastest that the machine has
    steps: int = 4000
    batch_size: int = 64
    learning_rate: float = 3e-3
    warmup_steps: int = 100
    refine_steps: int = 1_000  # of the refiner, in a run that trains one; the default of `gan.train`
    average: float = 0.99  # decay of the moving average of the weights, which is what is saved
    blank_weight: float = 0.2  # weight of a blank cell's error; a character's is 1
    seed: int = 0
    log_steps: int = 50
    augmentation: Augmentation = field(default_factory=Augmentation)
    adaptation: Adaptation = field(default_factory=Adaptation)

    def __post_init__(self) -> None:
        _check_choice("network", self.network, get_args(NetworkName))
        _check_choice("precision", self.precision, PRECISIONS)
        for name in ("width", "depth", "batch_size", "log_steps", "refine_steps"):
            _check_range(name, getattr(self, name), 1, float("inf"))
        _check_range("steps", self.steps, 0, float("inf"))
        for name in ("average", "blank_weight"):
            _check_range(name, getattr(self, name), 0, 1)
        _check_adaptation(self.adaptation)

    def as_dict(self) -> dict[str, Any]:
        """Nested plain values for `config.json`."""
        return asdict(self)


def _check_adaptation(adaptation: Adaptation) -> None:
    _check_choice("adaptation.method", adaptation.method, get_args(AdaptationMethod))
    _check_range("adaptation.rounds", adaptation.rounds, 1, float("inf"))
    _check_range("adaptation.steps", adaptation.steps, 0, float("inf"))
    _check_range("adaptation.information", adaptation.information or 0.0, 0, 1000)
    for name in ("keep_first", "keep_last", "certainty_min", "align", "real_share"):
        _check_range(f"adaptation.{name}", getattr(adaptation, name), 0, 1)


def _check_choice(name: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise RunError(f"`{name}` is {value!r}; choose one of {', '.join(choices)}", value)


def _check_range(name: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise RunError(f"`{name}` is {value}; expected {low:g} to {high:g}", value)


@dataclass(frozen=True, kw_only=True)
class Preset:
    """What options of the command have unless they are given; ``refine``: train a refiner where that is possible."""

    settings: TrainingSettings = field(default_factory=TrainingSettings)
    refine: bool = False


PRESETS: dict[str, Preset] = {
    "quick": Preset(settings=TrainingSettings(steps=1000, adaptation=Adaptation(steps=400, rounds=4))),
    "default": Preset(),
    "thorough": Preset(
        settings=TrainingSettings(steps=10_000, adaptation=Adaptation(steps=6000, rounds=20)), refine=True
    ),
}
