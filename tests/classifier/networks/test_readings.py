"""What was read, whatever the network: second choices, and parts joined."""

from __future__ import annotations

import numpy as np
import pytest

from classifier.networks.heads import POSITION
from classifier.networks.readings import Readings, join
from synth_engine import Recipe


def test_the_second_choice_is_the_next_best(tiny: Recipe) -> None:
    scores = np.random.default_rng(0).normal(size=(5, 3, 5)).astype(np.float32)
    codes, chances = POSITION.decode(scores, tiny).seconds()
    assert codes.tolist() == scores.argsort(axis=-1)[..., -2].tolist()
    softmax = np.exp(scores) / np.exp(scores).sum(-1, keepdims=True)
    assert chances == pytest.approx(np.sort(softmax, axis=-1)[..., -2], abs=1e-5)


def test_joined_parts_keep_their_order(tiny: Recipe) -> None:
    parts = [POSITION.decode(9.0 * np.eye(5, dtype=np.float32)[[codes]], tiny) for codes in ([0, 1], [2, 3])]
    joined: Readings = join(parts)
    assert joined.texts(tiny.alphabet) == ["ac", "x1"]
    assert joined.confidence().shape == (2,)
