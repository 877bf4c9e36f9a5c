"""Characters of one image that continue another: what moves, what stays, and what is never cut."""

from __future__ import annotations

import numpy as np
import pytest

from synth_engine.samples import PADDING

tf = pytest.importorskip("tensorflow")

from classifier.learning.paste import paste, widened  # noqa: E402

SEED = tf.constant([3, 4], tf.int32)
WIDTH = 60


def images_of(x: np.ndarray) -> tuple[np.ndarray, ...]:
    """Images whose every pixel is the number of their row in ``x``; characters at ``x`` (N, L) px, NaN for none."""
    count, length = x.shape
    images = np.tile(np.arange(count, dtype=np.float32)[:, None, None, None], (1, 8, WIDTH, 1))
    present = np.isfinite(x)
    labels = np.where(present, np.arange(count * length).reshape(count, length), PADDING).astype(np.uint8)
    points = np.stack([np.where(present, x, 0.0), np.full_like(x, 4.0)], -1).astype(np.float32)
    return images, labels, points, np.where(present, 0.5 + 0.01 * np.arange(count)[:, None], 0.0).astype(np.float32)


def test_every_character_of_the_result_lies_in_its_own_image_s_part() -> None:
    x = np.random.default_rng(0).uniform(2, 12, (16, 4)) + np.arange(4) * 14
    images, labels, points, weights = (each.numpy() for each in paste(SEED, 1.0, *images_of(x)))
    assert (images != np.arange(16)[:, None, None, None]).any(axis=(1, 2, 3)).sum() >= 8
    assert labels.shape == (16, 8)
    assert (labels != PADDING).any(axis=1).all()
    for image, codes, places, counts in zip(images, labels, points, weights, strict=True):
        for code, (place, _), count in zip(codes, places, counts, strict=True):
            if code != PADDING:
                assert image[0, round(float(place)), 0] == code // 4
                assert place == pytest.approx(x.ravel()[code], abs=1e-4)
                assert count == pytest.approx(0.5 + 0.01 * (code // 4))


def test_the_labels_are_those_left_of_the_seam_and_the_partner_s_right_of_it() -> None:
    x = np.random.default_rng(1).uniform(2, 12, (32, 4)) + np.arange(4) * 14
    images, labels, *_ = (each.numpy() for each in paste(SEED, 1.0, *images_of(x)))
    lengths = set()
    for number, row in enumerate(images[:, 0, :, 0]):
        (partner,) = set(row.astype(int)) - {number} or {number}
        seam = np.flatnonzero(row == number)[-1] + 0.5
        own, other = 4 * number + np.flatnonzero(x[number] < seam), 4 * partner + np.flatnonzero(x[partner] > seam)
        wanted = set(own) | (set(other) if partner != number else set())
        assert set(labels[number][labels[number] != PADDING]) == wanted
        lengths.add(len(own))
    assert lengths >= {1, 2, 3}


@pytest.mark.parametrize("widths", [(14, 14), (9, 23)])
def test_no_character_loses_more_than_a_tenth_of_its_width(widths: tuple[int, int]) -> None:
    """Letters as wide as their pitch, of one image in two wide ones."""
    wide = np.resize([*widths], 32).astype(float)[:, None]
    x = np.random.default_rng(1).uniform(6, 12, (32, 1)) + np.arange(4) * wide
    x[x > WIDTH - 1] = np.nan
    images = paste(SEED, 1.0, *images_of(x))[0].numpy()[:, 0, :, 0]
    pasted = 0
    for number, row in enumerate(images):
        for partner in set(row.astype(int)) - {number}:
            seam = np.flatnonzero(row == number)[-1] + 0.5
            assert np.nanmin(np.abs(x[partner] - seam)) >= 0.4 * wide[partner, 0] - 1
            assert np.nanmin(np.abs(x[number] - seam)) >= 0.4 * wide[number, 0] - 1
            assert (x[partner] > seam).any()
            pasted += 1
    assert pasted >= 8


def test_images_without_a_gap_or_a_partner_stay() -> None:
    nan = np.nan
    few = np.array([[10.0, nan], [20.0, nan], [nan, nan]])
    images, labels, *_ = paste(SEED, 1.0, *images_of(few))
    assert np.array_equal(images, images_of(few)[0])
    assert labels.numpy().tolist() == [[0, 255, 255, 255], [2, 255, 255, 255], [255, 255, 255, 255]]
    short = np.array([[10.0, 30.0], [5.0, 8.0]])  # the second ends before the first one's seam
    assert np.array_equal(paste(SEED, 1.0, *images_of(short))[0][0], images_of(short)[0][0])
    covered = np.array([[10.0, 30.0], [20.0, 20.0]])  # the other's characters lie on the seam, or share one place
    assert np.array_equal(paste(SEED, 1.0, *images_of(covered))[0], images_of(covered)[0])


def test_share_says_how_many_are_pasted() -> None:
    x = np.random.default_rng(2).uniform(2, 12, (400, 4)) + np.arange(4) * 14

    def pasted(share: float) -> float:
        images = paste(SEED, share, *images_of(x))[0].numpy()
        return float((images != np.arange(400)[:, None, None, None]).any(axis=(1, 2, 3)).mean())

    assert pasted(0.0) == 0.0
    assert pasted(0.5) == pytest.approx(0.5 * pasted(1.0), abs=0.08)


def test_widened_holds_the_same_characters() -> None:
    _, labels, points, weights = images_of(np.array([[5.0, 20.0]]))
    wide = [each.numpy() for each in widened(labels, points, weights)]
    assert wide[0].tolist() == [[0, 1, 255, 255]]
    assert wide[2].tolist() == [[0.5, 0.5, 0.0, 0.0]]
    assert np.array_equal(wide[1][:, :2], points)
