"""Targets: the metrics of a good refiner, and what a step must reach for its weights to be saved. Measures nothing."""

from __future__ import annotations

from collections.abc import Callable

from synth_engine.training.refinement_report import MetricTarget, RefinerMetrics

MEAN_CHANGE = (0.005, 0.15)
ACCURACY = (0.5, 0.9)
TWO_SAMPLE_DROP = 0.10
KERNEL_SHARE = 0.5
PRESERVATION, PRESERVATION_WORST = 0.99, 0.97
RELATIVE_DEVIATION = 0.80


def metric_targets(metrics: RefinerMetrics) -> tuple[MetricTarget, ...]:
    """Every target, with what ``metrics`` have reached of it."""
    m, (low, high), (fair, sure) = metrics, MEAN_CHANGE, ACCURACY
    drop = m.two_sample_accuracy_raw - m.two_sample_accuracy
    distance = _ratio(m.kernel_distance, m.kernel_distance_raw)
    preserved, worst = m.label_preservation, m.label_preservation_worst
    return (
        _target("mean change of a pixel", "0.5% to 15%", m.mean_change, lambda v: low <= v <= high),
        _target("discriminator accuracy", "50% to 90%", m.accuracy, lambda v: fair <= v <= sure),
        _target("two-sample accuracy below raw", "10 points", drop, lambda v: v >= TWO_SAMPLE_DROP, True),
        _target("kernel distance relative to raw", "at most 50%", distance, lambda v: v <= KERNEL_SHARE),
        _target("label preservation", "at least 99%", preserved, lambda v: v >= PRESERVATION, True),
        _target("label preservation, worst class", "at least 97%", worst, lambda v: v >= PRESERVATION_WORST, True),
        _target("pixel deviation relative to raw", "at least 80%", m.relative_deviation,
                lambda v: v >= RELATIVE_DEVIATION, True),
    )  # fmt: skip


def helps(metrics: RefinerMetrics) -> bool:
    """Whether a reader should learn from refined images rather than from raw ones alone: all needed targets reached.

    False without a reader, as label preservation is then unknown. Three targets are not needed. The discriminator's
    accuracy describes the training, not the images. Kernel distance says the same as two-sample accuracy in another
    space. How much must change depends on the recipe: where little is wrong, two pixels are enough.
    """
    return all(target.reached for target in metric_targets(metrics) if target.needed)


def may_be_chosen(metrics: RefinerMetrics) -> bool:
    """Whether a step's weights may be saved: labels are preserved.

    Without a reader to measure that, small changes and a deviation near that of raw images make it likely.
    """
    m = metrics
    if m.label_preservation is not None and m.label_preservation_worst is not None:
        return m.label_preservation >= PRESERVATION and m.label_preservation_worst >= PRESERVATION_WORST
    return m.relative_deviation >= RELATIVE_DEVIATION and m.mean_change <= MEAN_CHANGE[1]


def _target(
    name: str, wanted: str, value: float | None, reaches: Callable[[float], bool], needed: bool = False
) -> MetricTarget:
    if value is None:
        return MetricTarget(name, wanted, "needs --reader", None, needed)
    return MetricTarget(name, wanted, f"{value:.1%}", reaches(value), needed)


def _ratio(part: float | None, whole: float | None) -> float | None:
    """None too where raw images are no farther from real ones than chance: there is nothing to halve."""
    return None if part is None or whole is None or whole <= 0 else part / whole
