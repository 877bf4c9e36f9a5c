"""The options of `classifier.train` as one frozen value. A combination that contradicts itself cannot be made."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any, Literal, TypeVar

from classifier.learning.settings import AUGMENTATIONS, PRESETS, AdaptationMethod, DataName, Preset, TrainingSettings
from classifier.networks.head import NetworkName
from synth_engine.errors import RunError
from synth_engine.training.precision import Precision

AugmentationName = Literal["narrow", "wide"]
Group = TypeVar("Group")


@dataclass(frozen=True, kw_only=True)
class DataOptions:
    """Which images; ``real``, ``refiner`` and ``recipe`` as the command line names them, None where it does not."""

    real: str | None = None
    real_limit: int | None = None
    recipe: str | None = None
    refiner: str | None = None
    data: DataName | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        if self.data not in (None, "raw") and self.refiner is None:
            raise RunError(f"--data {self.data} needs a refiner; give --refiner FILE or use --data raw", self.data)
        if self.real_limit is not None and self.real is None:
            raise RunError("--real-limit limits real images, and there are none; give --real PATH", self.real_limit)


@dataclass(frozen=True, kw_only=True)
class LearningOptions:
    """How the network learns from synthetic images; None: as the preset has it."""

    preset: str = "default"
    network: NetworkName | None = None
    width: int | None = None
    depth: int | None = None
    steps: int | None = None
    start_from: str | None = None
    batch_size: int | None = None
    learning_rate: float | None = None
    augment: AugmentationName | None = None

    def __post_init__(self) -> None:
        if self.preset not in PRESETS:
            raise RunError(f"`preset` is {self.preset!r}; choose one of {', '.join(PRESETS)}", self.preset)


@dataclass(frozen=True, kw_only=True)
class AdaptationOptions:
    """How real images are used; None: as the preset has it, and no limit of time."""

    refine: bool | None = None
    refine_steps: int | None = None
    adapt: AdaptationMethod | None = None
    adapt_steps: int | None = None
    adapt_rounds: int | None = None
    adapt_information: float | None = None
    adapt_minutes: float | None = None


@dataclass(frozen=True, kw_only=True)
class OutputOptions:
    """Where the run goes."""

    folder: str = "runs/classifier"
    resume: bool = False
    tensorboard: bool = False


@dataclass(frozen=True, kw_only=True)
class MachineOptions:
    """What the run may use; None: this machine's own Ray, a thread a core, the fastest precision."""

    workers: int = 0
    ray_address: str | None = None
    threads: int | None = None
    precision: Precision | None = None


@dataclass(frozen=True, kw_only=True)
class TrainOptions:
    """All options; each has the name of the command's parameter."""

    data: DataOptions
    learning: LearningOptions
    adaptation: AdaptationOptions
    output: OutputOptions
    machine: MachineOptions

    @classmethod
    def of(cls, **given: Any) -> TrainOptions:
        """Options from the command's parameters; those not given have their defaults. Raises RunError if they clash.

        A name that is no option's raises TypeError.
        """
        options = cls(
            data=_taken(DataOptions, given),
            learning=_taken(LearningOptions, given),
            adaptation=_taken(AdaptationOptions, given),
            output=_taken(OutputOptions, given),
            machine=_taken(MachineOptions, given),
        )
        if given:
            raise TypeError(f"no option is called {', '.join(given)}")
        return options

    @property
    def preset(self) -> Preset:
        """What options have that are not given."""
        return PRESETS[self.learning.preset]

    @property
    def wants_refiner(self) -> bool:
        """Whether the run is to train a refiner, by its own option or by the preset."""
        return self.preset.refine if self.adaptation.refine is None else self.adaptation.refine

    def settings(self) -> TrainingSettings:
        """The preset's settings with what is given; warps are narrow unless given. Raises RunError for bad values."""
        learning, adaptation, preset = self.learning, self.adaptation, self.preset.settings
        changes = _given(
            network=learning.network,
            width=learning.width,
            depth=learning.depth,
            steps=learning.steps,
            batch_size=learning.batch_size,
            learning_rate=learning.learning_rate,
            refine_steps=adaptation.refine_steps,
            precision=self.machine.precision,
        )
        adapting = _given(
            method=adaptation.adapt,
            steps=adaptation.adapt_steps,
            rounds=adaptation.adapt_rounds,
            information=adaptation.adapt_information,
        )
        return replace(
            preset,
            seed=self.data.seed,
            augmentation=AUGMENTATIONS[learning.augment or "narrow"],
            adaptation=replace(preset.adaptation, **adapting),
            **changes,
        )


def _given(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _taken(group: type[Group], given: dict[str, Any]) -> Group:
    """The group's options, which are taken out of ``given``."""
    names = {field.name for field in fields(group)} & given.keys()  # type: ignore[arg-type]  # a dataclass
    return group(**{name: given.pop(name) for name in names})
