"""Texts of any length from columns: the loss counts paths, the decoder follows the best one."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

tf = pytest.importorskip("tensorflow")

from classifier.networks.ctc import ctc_loss, decode_ctc  # noqa: E402
from classifier.networks.readings import to_texts  # noqa: E402

ALPHABET, NONE = "ab", 255
BLANK = len(ALPHABET)


def collapse(path: tuple[int, ...]) -> tuple[int, ...]:
    kept = [code for before, code in zip((None, *path), path, strict=False) if code != before]
    return tuple(code for code in kept if code != BLANK)


def columns(text: str) -> np.ndarray:
    """Scores (1, T, 3) whose best path is ``text``, - for none."""
    codes = [(ALPHABET + "-").index(character) for character in text]
    return (4.0 * np.eye(3, dtype=np.float32)[codes])[np.newaxis]


def test_the_loss_sums_all_paths_of_the_text() -> None:
    scores = np.random.default_rng(0).normal(size=(1, 4, 3)).astype(np.float32)
    chances = np.exp(scores[0]) / np.exp(scores[0]).sum(-1, keepdims=True)
    paths = [path for path in product(range(3), repeat=4) if collapse(path) == (0, 1)]
    wanted = -np.log(sum(np.prod([chances[t, code] for t, code in enumerate(path)]) for path in paths))
    loss, _ = ctc_loss(scores, np.array([[0, 1, NONE]], np.uint8), np.ones((1, 3), np.float32))
    assert float(loss) == pytest.approx(wanted / 2, rel=1e-5)


def test_a_doubtful_character_silences_its_text() -> None:
    scores = np.concatenate([columns("a-b-"), columns("b-b-")])
    labels = np.array([[0, 1], [0, 0]], np.uint8)
    both, right = ctc_loss(scores, labels, np.ones((2, 2), np.float32))
    first, first_right = ctc_loss(scores, labels, np.array([[1, 1], [1, 0]], np.float32))
    assert float(first) < float(both)
    assert (float(right), float(first_right)) == (0.5, 1.0)


@pytest.mark.parametrize(("path", "text"), [("aab-", "ab"), ("a-a-", "aa"), ("----", ""), ("abab", "aba")])
def test_the_best_path_is_collapsed_and_cut_at_the_longest_text(path: str, text: str) -> None:
    readings = decode_ctc(columns(path), 3, 24)
    assert to_texts(readings.codes, ALPHABET) == [text]
    assert (readings.certainty[0, len(text) :] == 1.0).all()


def test_a_character_stands_in_its_most_certain_column() -> None:
    scores = columns("-aa-")
    scores[0, 2, 0] += 3.0
    readings = decode_ctc(scores, 2, 24)
    assert readings.points[0, 0].tolist() == [2 * 4 + 1.5, 12.0]
    chance = np.exp(scores[0, 2, 0]) / np.exp(scores[0, 2]).sum()
    assert readings.certainty[0, 0] == pytest.approx(chance, rel=1e-5)
