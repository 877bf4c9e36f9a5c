"""Choice: the averaged weights of the best assessed step so far, as part of what a checkpoint holds."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from gan.settings.metrics import Figures, marks, may_be_chosen


class Choice(tf.Module):
    """Keeps values for ``variables``: of the steps that pass the gate, of one that reaches the most marks.

    Those that a reader needs come first (`figures.helps`), then all; of equals the lowest two-sample accuracy. While
    none has passed it keeps the latest. ``step`` is 0 before the first one.
    """

    def __init__(self, variables: Sequence[Any]) -> None:
        super().__init__(name="choice")
        self.weights = [tf.Variable(tf.convert_to_tensor(value), trainable=False) for value in variables]
        self.step = tf.Variable(0, dtype=tf.int64, trainable=False, name="chosen_step")
        self.passed = tf.Variable(False, trainable=False, name="passed")
        self.needed = tf.Variable(0, dtype=tf.int64, trainable=False, name="needed_marks")
        self.reached = tf.Variable(0, dtype=tf.int64, trainable=False, name="reached_marks")
        self.accuracy = tf.Variable(math.inf, dtype=tf.float64, trainable=False, name="accuracy")

    def offer(self, figures: Figures, variables: Sequence[Any]) -> bool:
        """Take the present values of ``variables`` if their ``figures`` are better; returns whether they are."""
        passes, reached = may_be_chosen(figures), [mark.needed for mark in marks(figures) if mark.reached]
        rank = sum(reached), len(reached), -figures.two_sample
        best = int(self.needed), int(self.reached), -float(self.accuracy)
        if bool(self.passed) and not (passes and rank > best):
            return False
        for kept, value in zip(self.weights, variables, strict=True):
            kept.assign(value)
        self.step.assign(figures.step)
        self.passed.assign(passes)
        self.needed.assign(rank[0])
        self.reached.assign(rank[1])
        self.accuracy.assign(figures.two_sample)
        return True

    def apply(self, variables: Sequence[Any]) -> None:
        """Give ``variables`` the chosen values."""
        for variable, value in zip(variables, self.weights, strict=True):
            variable.assign(value)

    def reason(self) -> str:
        """Why that step, for people."""
        if bool(self.passed):
            return (
                f"most marks reached ({int(self.reached)}) of the steps that pass the gate, and of such the lowest "
                f"two-sample accuracy ({float(self.accuracy):.1%})"
            )
        return "no step passed the gate, so the last one assessed"
