"""GanTrainOptions: the options of `gan.train` as one frozen value. Contradictions cannot be built."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from gan.settings.config import Config
from synth_engine.errors import RunError
from synth_engine.training.precision import Precision


class GanTrainOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What a user asks of `gan.train`; None: not given.

    real: images or challenge files; without them the demonstration is rendered. recipe: a name or a TOML file. reader:
    a ``classifier.keras`` that measures label preservation. folder: the run's. precision: of the refiner in training.
    """

    config: Config
    folder: str
    real: str | None = None
    real_limit: int | None = None
    recipe: str | None = None
    reader: str | None = None
    resume: bool = False
    workers: int = 0
    ray_address: str | None = None
    threads: int | None = None
    precision: Precision | None = None
    tensorboard: bool = False

    def __post_init__(self) -> None:
        if self.config.label_weight and self.reader is None:
            raise RunError(
                f"a label weight of {self.config.label_weight} needs a reader whose mistakes it weighs; give --reader "
                "FILE or leave --label-weight out",
                self.config.label_weight,
            )
        if self.real_limit is not None and self.real is None:
            raise RunError("--real-limit limits real images, and there are none; give --real PATH", self.real_limit)

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> GanTrainOptions:
        """From the command's parameters: the preset, changes to it, and the fields of this class.

        Without a reader the preset's label weight does not count; one that is given is refused. Raises RunError.
        """
        own = {name: given[name] for name in cls.__struct_fields__ if name in given}
        changes = {name: value for name, value in given.items() if name not in own and name != "preset"}
        if own["reader"] is None and changes["label_weight"] is None:
            changes["label_weight"] = 0.0
        return cls(config=Config.preset(given["preset"], **changes), **own)
