"""How well texts were read: accuracy on whole texts and characters, with intervals. Pure functions, no files."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

Z95 = 1.959963984540054  # the normal distribution's 97.5% quantile
WORST = 10
BINS = 10  # of confidence, equally wide
COVERAGE = 0.8  # share of images, the most confident ones, that selective accuracy is of


@dataclass(frozen=True)
class Share:
    """``right`` of ``total``, with its 95% interval."""

    right: int
    total: int

    @property
    def value(self) -> float:
        """The share in [0, 1]; NaN if the total is 0."""
        return self.right / self.total if self.total else math.nan

    @property
    def interval(self) -> tuple[float, float]:
        """Lower and upper end, in [0, 1]; see `wilson`."""
        return wilson(self.right, self.total)

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON, None in place of NaN."""
        low, high = self.interval
        return {"right": self.right, "total": self.total, "share": self.value if self.total else None,
                "low": low, "high": high}  # fmt: skip

    def __str__(self) -> str:
        low, high = self.interval
        return f"{self.value:6.1%}  [{low:.1%}, {high:.1%}]  {self.right}/{self.total}"


@dataclass(frozen=True, kw_only=True)
class ConfidenceScore:
    """What confidences are worth.

    mean: of all images; calibration_error: expected calibration error, the mean distance between confidence and
    accuracy over equally wide bins, weighted by their images (Guo et al. 2017, eq. 3); at_coverage: selective accuracy
    on whole texts, of the share `COVERAGE` of images with the highest confidence.
    """

    mean: float
    calibration_error: float
    at_coverage: Share

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "mean": self.mean,
            "calibration_error": self.calibration_error,
            "accuracy_at_80_coverage": self.at_coverage.as_dict(),
        }


@dataclass(frozen=True, kw_only=True)
class AccuracyScore:
    """Accuracy on whole texts and on characters, also by position and by class; and (true, read, count) mistakes.

    Among the mistakes, a character that was not read is read ``""``, and a superfluous one has ``""`` as true.
    """

    whole: Share
    characters: Share
    positions: tuple[Share, ...]
    classes: dict[str, Share]
    mistakes: tuple[tuple[str, str, int], ...]
    confidence: ConfidenceScore | None = None

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "whole": self.whole.as_dict(),
            "characters": self.characters.as_dict(),
            "positions": [share.as_dict() for share in self.positions],
            "classes": {name: share.as_dict() for name, share in self.classes.items()},
            "mistakes": [dict(zip(("true", "read", "count"), mistake, strict=True)) for mistake in self.mistakes],
            "confidence": self.confidence.as_dict() if self.confidence else None,
        }

    def table(self) -> str:
        """Lines for people; the worst classes and the commonest mistakes come last."""
        lines = ["               accuracy  95% (Wilson)    right/total"]
        lines += [f"whole text      {self.whole}", f"characters      {self.characters}"]
        lines += [f"position {k:<6} {share}" for k, share in enumerate(self.positions, 1)]
        if sure := self.confidence:
            lines += [f"at {COVERAGE:.0%} coverage {sure.at_coverage}"]
            lines += [f"confidence      {sure.mean:6.1%}  on average, calibration error {sure.calibration_error:.1%}"]
        worst = sorted(self.classes.items(), key=lambda item: (item[1].value, -item[1].total))[:WORST]
        lines += [f"class {name!r:<9} {share}" for name, share in worst if share.right < share.total]
        seen = ", ".join(f"{true or '-'} as {read or '-'} {count}x" for true, read, count in self.mistakes[:WORST])
        return "\n".join([*lines, f"mistakes        {seen or 'none'}"])


def wilson(right: int, total: int, z: float = Z95) -> tuple[float, float]:
    """The score interval for a share (Wilson 1927, "Probable inference …", JASA 22: 209–212); (0, 1) of no total."""
    if total == 0:
        return 0.0, 1.0
    share, spread = right / total, z * z / total
    middle = (share + spread / 2) / (1 + spread)
    reach = z / (1 + spread) * math.sqrt(share * (1 - share) / total + spread / (4 * total))
    return max(0.0, middle - reach), min(1.0, middle + reach)


def score_confidence(confidence: Sequence[float], right: Sequence[bool]) -> ConfidenceScore | None:
    """What confidences, each in [0, 1], are worth, given which texts are right; None of no texts."""
    if not right:
        return None
    bins: dict[int, list[tuple[float, bool]]] = {}
    for pair in zip(confidence, right, strict=True):
        bins.setdefault(min(int(pair[0] * BINS), BINS - 1), []).append(pair)
    gaps = (abs(sum(sure for sure, _ in one) - sum(hit for _, hit in one)) for one in bins.values())
    covered = sorted(zip(confidence, right, strict=True), key=lambda pair: -pair[0])[: round(COVERAGE * len(right))]
    return ConfidenceScore(
        mean=sum(confidence) / len(right),
        calibration_error=sum(gaps) / len(right),
        at_coverage=Share(sum(hit for _, hit in covered), len(covered)),
    )


def score_texts(true: Sequence[str], read: Sequence[str], confidence: Sequence[float] | None = None) -> AccuracyScore:
    """Compare texts one by one, and their characters position by position.

    Of two texts of different lengths, the longer one's length counts, and the shorter one lacks its last characters.
    ``confidence``: probability that each text was read right.
    """
    hits = [one == other for one, other in zip(true, read, strict=True)]
    pairs = [pair for texts in zip(true, read, strict=True) for pair in enumerate(_aligned(*texts))]
    right = [(place, one) for place, (one, other) in pairs if one == other]
    places = Counter(place for place, _ in pairs)
    right_places = Counter(place for place, _ in right)
    classes, right_classes = Counter(one for _, (one, _) in pairs if one), Counter(one for _, one in right)
    mistakes = Counter((one, other) for _, (one, other) in pairs if one != other)
    return AccuracyScore(
        whole=Share(sum(hits), len(true)),
        characters=Share(len(right), len(pairs)),
        positions=tuple(Share(right_places[place], places[place]) for place in sorted(places)),
        classes={name: Share(right_classes[name], classes[name]) for name in sorted(classes)},
        mistakes=tuple((one, other, count) for (one, other), count in mistakes.most_common()),
        confidence=None if confidence is None else score_confidence(confidence, hits),
    )


def _aligned(true: str, read: str) -> list[tuple[str, str]]:
    """Characters of both texts by position, the shorter filled up with ``""``."""
    length = max(len(true), len(read))
    return [(true[k : k + 1], read[k : k + 1]) for k in range(length)]
