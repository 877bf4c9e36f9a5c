"""Figures: what is measured of a refiner at one step, and the marks that a good one reaches. It measures nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec

from synth_engine.errors import RunError


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """Of held-out images at ``step``. Shares lie in [0, 1]; figures that need a reader are None without one.

    mean_change: of what the refiner puts out, see `losses.mean_change`; drawn_change: that of ink drawn from it, the
    share of pixels that differ; accuracy_real, accuracy_refined: the discriminator's, without noise;
    two_sample: what fresh classifiers tell apart of refined and real images; *_raw: of unrefined images;
    kernel, kernel_raw: kernel distance to real images in the reader's features; kept: the reader's share of right
    characters on refined images over that on raw ones; kept_worst: the same of the character class that lost most;
    spread: deviation of a pixel over a batch, mean over pixels, refined over raw.
    """

    step: int
    mean_change: float
    drawn_change: float
    accuracy_real: float
    accuracy_refined: float
    two_sample: float
    two_sample_raw: float
    spread: float
    kernel: float | None = None
    kernel_raw: float | None = None
    kept: float | None = None
    kept_worst: float | None = None

    @property
    def accuracy(self) -> float:
        """The discriminator's on as many refined as real images."""
        return (self.accuracy_real + self.accuracy_refined) / 2

    def as_dict(self) -> dict[str, Any]:
        """Its fields, in order, as JSON values."""
        return msgspec.structs.asdict(self)

    def as_row(self) -> dict[str, str | float]:
        """A row of `assessment.csv`: what was not measured is empty."""
        return {
            **{name: "" if value is None else value for name, value in self.as_dict().items()},
            "step": str(self.step),
        }

    @classmethod
    def from_row(cls, row: dict[str, str]) -> Figures:
        """From a row of `assessment.csv`; raises RunError when it is damaged."""
        try:
            return msgspec.convert({name: value or None for name, value in row.items()}, cls, strict=False)
        except msgspec.ValidationError as error:
            raise RunError(f"assessment.csv is damaged ({error}); start a new run in another folder", row) from error

    def __str__(self) -> str:
        return "  ".join(f"{name} {value:.4f}" for name, value in self.as_dict().items() if isinstance(value, float))


FIGURES = Figures.__struct_fields__


class Mark(NamedTuple):
    """A figure by name, what it must reach in words, its value as text, and whether it does; None: not measured.

    ``needed``: whether a refiner must reach it before a reader learns from its images.
    """

    name: str
    wanted: str
    received: str
    reached: bool | None
    needed: bool


CHANGE = (0.005, 0.15)
ACCURACY = (0.5, 0.9)
DROP = 0.10
KERNEL_SHARE = 0.5
KEPT, KEPT_WORST = 0.99, 0.97
SPREAD = 0.80


def marks(figures: Figures) -> list[Mark]:
    """The table of what a refiner must show."""
    f = figures
    return [
        _mark("mean change of a pixel", "0.5% to 15%", f.mean_change, lambda v: CHANGE[0] <= v <= CHANGE[1]),
        _mark("discriminator's accuracy", "50% to 90%", f.accuracy, lambda v: ACCURACY[0] <= v <= ACCURACY[1]),
        _mark("two-sample accuracy below raw", "10 points", f.two_sample_raw - f.two_sample, lambda v: v >= DROP, True),
        _mark("kernel distance over raw", "at most 50%", _ratio(f.kernel, f.kernel_raw), lambda v: v <= KERNEL_SHARE),
        _mark("labels kept", "at least 99%", f.kept, lambda v: v >= KEPT, True),
        _mark("labels kept, worst class", "at least 97%", f.kept_worst, lambda v: v >= KEPT_WORST, True),
        _mark("spread over raw", "at least 80%", f.spread, lambda v: v >= SPREAD, True),
    ]  # fmt: skip


def helps(figures: Figures) -> bool:
    """Whether a reader had better learn from refined images than from raw ones alone: every needed mark is reached.

    False without a reader, which nobody asked whether labels are kept. The discriminator's accuracy is no mark of the
    images, kernel distance repeats in another space what the two-sample accuracy says, and how much must change for
    that to fall depends on the recipe: two pixels, where it lacks no more.
    """
    return all(mark.reached for mark in marks(figures) if mark.needed)


def may_be_chosen(figures: Figures) -> bool:
    """The gate: labels kept as a reader sees it, and without one, a spread and a change that make that likely."""
    f = figures
    if f.kept is not None and f.kept_worst is not None:
        return f.kept >= KEPT and f.kept_worst >= KEPT_WORST
    return f.spread >= SPREAD and f.mean_change <= CHANGE[1]


def _mark(name: str, wanted: str, value: float | None, reaches: Callable[[float], bool], needed: bool = False) -> Mark:
    if value is None:
        return Mark(name, wanted, "needs --reader", None, needed)
    return Mark(name, wanted, f"{value:.1%}", reaches(value), needed)


def _ratio(part: float | None, whole: float | None) -> float | None:
    """None too where raw images are no farther from real ones than chance: there is nothing to halve."""
    return None if part is None or whole is None or whole <= 0 else part / whole
