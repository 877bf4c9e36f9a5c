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
from synth_engine.errors import ModelError
from synth_engine.json_files import read_json, write_json
from synth_engine.samples import PADDING

CALIBRATION = "calibration.json"
KIND = "calibration"
REMEDY = "make it again with classifier.calibrate, or remove it"
TINY = 1e-6  # float32 certainties nearer to 0 or 1 than this mean nothing


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """How to correct certainties, and what that rests on. All shares are in [0, 1].

    temperature: divides a certainty's log-odds; ceilings: (alphabet,) highest certainty of each class; agreement: share
    of whole texts that a warped view reads alike; second_agreement: share that a reader trained from another seed reads
    alike, None without one; estimate: share estimated right before ceilings; images: number of real images; model:
    digest of the network's file, "" where there is none.
    """

    temperature: float
    ceilings: tuple[float, ...]
    agreement: float
    estimate: float
    images: int
    model: str = ""
    second_agreement: float | None = None

    def apply(self, readings: Readings) -> Readings:
        """``readings`` with corrected certainties; texts, places and scores stay."""
        present = readings.codes != PADDING
        ceilings = np.asarray(self.ceilings, np.float32)[np.where(present, readings.codes, 0)]
        certainty = soften(readings.certainty, self.temperature) * ceilings
        return replace(readings, certainty=np.where(present, certainty, 1.0).astype(np.float32))

    def save(self, folder: Path) -> Path:
        """Write `calibration.json` into ``folder``, whole or not at all."""
        write_json(folder / CALIBRATION, KIND, asdict(self))
        return folder / CALIBRATION

    @classmethod
    def load(cls, path: Path) -> Calibration:
        """Raises ModelError for a file that is missing, damaged or of another version."""
        values = read_json(path, KIND, remedy=REMEDY, error=ModelError)
        try:
            return msgspec.convert(values, type=cls)
        except msgspec.ValidationError as error:
            raise ModelError(f"{path} is damaged ({error}); {REMEDY}", path) from error

    def line(self) -> str:
        """One line for people."""
        second = "" if self.second_agreement is None else f"two readers on {self.second_agreement:.1%}, "
        return (
            f"two views agree on {self.agreement:.1%} of {self.images} texts, {second}{self.estimate:.1%} are "
            f"estimated right; temperature {self.temperature:.2f}, mean ceiling of a class {np.mean(self.ceilings):.3f}"
        )


def soften(certainty: Floats, temperature: float) -> Floats:
    """Certainties with their log-odds divided by ``temperature``; 1, as padding has it, stays just below 1."""
    held = np.clip(certainty.astype(np.float64), TINY, 1 - TINY)
    odds: Any = np.log(held / (1 - held)) / temperature
    return (1 / (1 + np.exp(-odds))).astype(np.float32)
