"""Calibration: how to correct a reader's certainty, and its file `calibration.json`. NumPy only.

`classifier.confidence` fits one to unlabelled images.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from classifier.networks.readings import Floats, Readings
from synth_engine.atomic import write_bytes
from synth_engine.errors import ModelError
from synth_engine.samples import PADDING

CALIBRATION = "calibration.json"
TINY = 1e-6  # float32 certainties nearer to 0 or 1 than this mean nothing


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """How to correct certainties, and what the correction rests on.

    temperature: divides a certainty's log-odds; ceilings: (alphabet,) highest certainty of each class; agreement and
    estimate: shares of whole texts on which views agree and that are estimated right before ceilings; seeds: share on
    which a reader trained from another seed agrees, None without one; images: how many real ones were looked at; model:
    digest of the network's file, "" where it has none.
    """

    temperature: float
    ceilings: tuple[float, ...]
    agreement: float
    estimate: float
    images: int
    model: str = ""
    seeds: float | None = None  # files of before have none

    def apply(self, readings: Readings) -> Readings:
        """``readings`` with corrected certainties; texts, places and scores stay."""
        present = readings.codes != PADDING
        ceilings = np.asarray(self.ceilings, np.float32)[np.where(present, readings.codes, 0)]
        certainty = soften(readings.certainty, self.temperature) * ceilings
        return replace(readings, certainty=np.where(present, certainty, 1.0).astype(np.float32))

    def save(self, folder: Path) -> Path:
        """Write `calibration.json` into ``folder``, whole or not at all."""
        write_bytes(folder / CALIBRATION, msgspec.json.format(msgspec.json.encode(asdict(self))) + b"\n")
        return folder / CALIBRATION

    @classmethod
    def load(cls, path: Path) -> Calibration:
        """Raises ModelError for a damaged file."""
        try:
            return msgspec.json.decode(path.read_bytes(), type=cls)
        except (OSError, msgspec.DecodeError) as error:
            raise ModelError(
                f"{path} is damaged ({error}); make it again with classifier.calibrate, or remove it", path
            ) from error

    def line(self) -> str:
        """One line for people."""
        seeds = "" if self.seeds is None else f"two seeds on {self.seeds:.1%}, "
        return (
            f"views agree on {self.agreement:.1%} of {self.images} texts, {seeds}{self.estimate:.1%} are estimated "
            f"right; temperature {self.temperature:.2f}, mean ceiling of a class {np.mean(self.ceilings):.3f}"
        )


def soften(certainty: Floats, temperature: float) -> Floats:
    """Certainties with their log-odds divided by ``temperature``; certain padding (1) stays all but certain."""
    held = np.clip(certainty.astype(np.float64), TINY, 1 - TINY)
    odds: Any = np.log(held / (1 - held)) / temperature
    return (1 / (1 + np.exp(-odds))).astype(np.float32)
