"""Where readers trained independently differ on the same images, as lines for people and as JSON values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from string import ascii_uppercase
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifier.confidence.agreement import (
    WORST,
    ClassDistance,
    ReaderPair,
    class_distance,
    compare_readings,
    disputed,
    estimates,
)
from classifier.networks.readings import Readings, to_texts
from classifier.reading.class_shares import expected_shares
from classifier.reading.reader import Reader
from synth_engine.errors import ModelError

READERS_MIN, READERS_MAX = 2, len(ascii_uppercase)  # a letter for each
SHOWN = 48
SEED = 0  # of the samples whose classes are counted as expected
LIMITS = (
    "Errors that all readers share, for example on a font that the recipe lacks, are not seen: the estimates are upper "
    "bounds of accuracy."
)


def check_count(models: Sequence[str]) -> None:
    """Raise ModelError unless there are readers to compare, and a letter for each."""
    if not READERS_MIN <= len(models) <= READERS_MAX:
        raise ModelError(
            f"expected {READERS_MIN} to {READERS_MAX} readers to compare, received {len(models)}; give --model once "
            "for each",
            len(models),
        )


@dataclass(frozen=True, kw_only=True)
class ReaderComparison:
    """What R readers, called A, B, … in the order of ``models``, read in the same N images."""

    models: Sequence[str]
    alphabet: str
    readings: Sequence[Readings]
    pairs: Sequence[ReaderPair]
    distances: Sequence[ClassDistance]

    @classmethod
    def of(cls, models: Sequence[str], readers: Sequence[Reader], images: NDArray[np.uint8]) -> ReaderComparison:
        """Read ``images`` (N, H, W) uint8 {0, 1} with each of ``readers``, whose files are ``models``."""
        readings = [reader.read(images) for reader in readers]
        expected = [expected_shares(reader.recipe, SEED) for reader in readers]
        return cls(
            models=models,
            alphabet=readers[0].recipe.alphabet,
            readings=readings,
            pairs=compare_readings(readings),
            distances=[class_distance(one.codes, shares) for one, shares in zip(readings, expected, strict=True)],
        )

    def lines(self) -> list[str]:
        """Lines for people."""
        lines = [f"{len(self.readings[0])} images, no label read"]
        lines += [line for pair in self.pairs for line in self._pair_lines(pair)]
        for letter, reader in self._readers().items():
            lines += [
                f"{letter}: estimated right {reader['estimated_right']:.1%}, by its own confidence "
                f"{reader['confidence']:.1%}; class shares {reader['class_distance']:.1%} from the recipe's "
                f"({reader['class_distance_by_chance']:.1%} by chance)  {reader['model']}"
            ]
        return [*lines, LIMITS]

    def as_dict(self, names: Sequence[str]) -> dict[str, Any]:
        """Plain values for JSON; shares are in [0, 1]. ``names``: of the N images."""
        return {
            "images": len(self.readings[0]),
            "readers": self._readers(),
            "pairs": [self._pair_dict(pair) for pair in self.pairs],
            "disputed": [
                {"name": names[k], "texts": self.texts_of(k), "confidence": round(sure, 4)}
                for k, sure in self.most_certain_disputes()
            ],
            "limits": LIMITS,
        }

    def texts_of(self, image: int) -> dict[str, str]:
        """What each reader reads in an image, by the reader's letter."""
        one = np.s_[image : image + 1]
        texts = [to_texts(readings.codes[one], self.alphabet)[0] for readings in self.readings]
        return dict(zip(ascii_uppercase, texts, strict=False))

    def most_certain_disputes(self) -> list[tuple[int, float]]:
        """Up to `SHOWN` images on which readers differ, and how confident they are, most confident first."""
        images, sure = disputed(self.readings, SHOWN)
        return list(zip(images.tolist(), sure.tolist(), strict=True))

    def _readers(self) -> dict[str, dict[str, Any]]:
        rows = zip(self.models, estimates(self.pairs), self.readings, self.distances, strict=True)
        return {
            ascii_uppercase[k]: {
                "model": model,
                "estimated_right": round(right, 4),
                "confidence": round(float(readings.confidence().mean()), 4),
                "class_distance": round(distance.found, 4),
                "class_distance_by_chance": round(distance.chance, 4),
            }
            for k, (model, right, readings, distance) in enumerate(rows)
        }

    def _pair_lines(self, pair: ReaderPair) -> list[str]:
        first, second = ascii_uppercase[pair.first], ascii_uppercase[pair.second]
        lengths = "" if pair.lengths == 1 else f" (of the {pair.lengths:.1%} of texts read to one length)"
        return [
            f"{first} and {second} agree on {pair.texts:.1%} of texts, {pair.characters:.1%} of characters{lengths}; "
            f"on average at most {pair.right_at_most:.1%} of their texts are right",
            *(
                f"  {first} reads {self.alphabet[one]} where {second} reads {self.alphabet[other]}: "
                f"{count / pair.compared:.2%} of characters ({count})"
                for one, other, count in pair.disputes[:WORST]
            ),
        ]

    def _pair_dict(self, pair: ReaderPair) -> dict[str, Any]:
        first, second = ascii_uppercase[pair.first], ascii_uppercase[pair.second]
        return {
            "readers": [first, second],
            "texts": round(pair.texts, 4),
            "characters": round(pair.characters, 4),
            "lengths": round(pair.lengths, 4),
            "right_at_most": round(pair.right_at_most, 4),
            "disputes": [
                {first: self.alphabet[one], second: self.alphabet[other], "count": count}
                for one, other, count in pair.disputes
            ],
        }
