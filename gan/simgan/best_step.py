"""BestStep: the averaged weights of the best assessed step so far, as part of what a checkpoint holds."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from gan.settings.targets import may_be_chosen, metric_targets
from synth_engine.training.refinement_report import RefinerMetrics


class BestStep(tf.Module):
    """Keeps values for ``variables``: of the steps that may be chosen, of the one that reaches the most targets.

    Needed targets count first (`gan.settings.targets`), then all, then the lowest two-sample accuracy. Until a step may
    be chosen it keeps the latest. ``step`` is 0 before the first assessment.
    """

    def __init__(self, variables: Sequence[Any]) -> None:
        super().__init__(name="best_step")
        self.weights = [tf.Variable(tf.convert_to_tensor(value), trainable=False) for value in variables]
        self.step = tf.Variable(0, dtype=tf.int64, trainable=False, name="chosen_step")
        self.passed = tf.Variable(False, trainable=False, name="passed")
        self.needed = tf.Variable(0, dtype=tf.int64, trainable=False, name="needed_targets")
        self.reached = tf.Variable(0, dtype=tf.int64, trainable=False, name="reached_targets")
        self.accuracy = tf.Variable(math.inf, dtype=tf.float64, trainable=False, name="accuracy")

    def offer(self, metrics: RefinerMetrics, variables: Sequence[Any]) -> bool:
        """Keep the present values of ``variables`` if their ``metrics`` are better; returns whether they are."""
        reached = [target.needed for target in metric_targets(metrics) if target.reached]
        passes, rank = may_be_chosen(metrics), (sum(reached), len(reached), -metrics.two_sample_accuracy)
        best = int(self.needed), int(self.reached), -float(self.accuracy)
        if bool(self.passed) and not (passes and rank > best):
            return False
        for held, value in zip(self.weights, variables, strict=True):
            held.assign(value)
        self.step.assign(metrics.step)
        self.passed.assign(passes)
        self.needed.assign(rank[0])
        self.reached.assign(rank[1])
        self.accuracy.assign(metrics.two_sample_accuracy)
        return True

    def apply(self, variables: Sequence[Any]) -> None:
        """Give ``variables`` the chosen values."""
        for variable, value in zip(variables, self.weights, strict=True):
            variable.assign(value)

    def reason(self) -> str:
        """Why that step was chosen, for people."""
        if bool(self.passed):
            return (
                f"of the steps that pass the label check it reaches the most targets ({int(self.reached)}), and "
                f"of those it has the lowest two-sample accuracy ({float(self.accuracy):.1%})"
            )
        return "no step passes the label check, so it is the last one assessed"
