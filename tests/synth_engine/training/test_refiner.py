"""Binary images from a refiner's output: ink as often as it says, opened, and the same whatever the batch."""

from __future__ import annotations

import numpy as np
import pytest

tf = pytest.importorskip("tensorflow")

import keras  # noqa: E402

from synth_engine.training import refiner as refining  # noqa: E402
from tests.naive.fast import opened  # noqa: E402

RNG = np.random.default_rng(0)


def normal(shape: tuple[int, ...], open_px: int) -> np.ndarray:
    return RNG.normal(size=refining.normal_shape(shape, open_px)).astype(np.float32)


@pytest.mark.parametrize(("open_px", "most"), [(0, refining.RANGE), (3, refining.OPENED_RANGE)])
def test_thresholds_are_uniform_up_to_the_edges(open_px: int, most: float) -> None:
    sampled = np.asarray(refining.thresholds(normal((400, 9, 12, 1), open_px), open_px))
    assert sampled.shape == (400, 9, 12, 1)
    for part in (sampled, sampled[:, :2], sampled[:, :, -2:]):
        shares = np.histogram(part, bins=4, range=(-most, most))[0] / part.size
        np.testing.assert_allclose(shares, 0.25, atol=0.04)


def test_thresholds_of_opened_ink_hardly_change_from_pixel_to_pixel() -> None:
    apart = {}
    for open_px in (0, 3):
        sampled = np.asarray(refining.thresholds(normal((50, 9, 12, 1), open_px), open_px))
        apart[open_px] = np.abs(np.diff(sampled, axis=2)).mean()
    assert apart[3] < 0.3 * apart[0]


def test_a_pixel_is_ink_as_often_as_it_says() -> None:
    said = np.broadcast_to(np.array([-1.0, -0.5, 0.0, 0.8, 1.0], np.float32)[:, None], (1000, 1, 5, 1))
    binary = np.asarray(refining.binarise(said, normal(said.shape, 0), 0))
    assert set(np.unique(binary)) == {-1.0, 1.0}
    share = np.clip((np.array([-1.0, -0.5, 0.0, 0.8, 1.0]) / refining.RANGE + 1) / 2, 0, 1)
    np.testing.assert_allclose((binary > 0).mean(axis=0).ravel(), share, atol=0.05)


@pytest.mark.parametrize(("open_px", "beyond"), [(0, refining.RANGE), (3, refining.OPENED_RANGE)])
def test_what_is_all_but_certain_stays_as_it_is(open_px: int, beyond: float) -> None:
    image = np.where(RNG.random((30, 9, 12, 1)) < 0.9, 1.0, -1.0).astype(np.float32)
    binary = refining.binarise(image * (beyond + 0.01), normal(image.shape, open_px), open_px)
    np.testing.assert_array_equal(binary, refining.opened(image, open_px))
    assert np.any(refining.binarise(image * (beyond - 0.1), normal(image.shape, open_px), open_px) != binary)


@pytest.mark.parametrize("open_px", [2, 3, 4])
def test_binary_images_are_opened_as_the_twin_opens_them(open_px: int) -> None:
    image = np.where(RNG.random((6, 15, 20, 1)) < 0.85, 1.0, -1.0).astype(np.float32)
    binary = np.asarray(refining.binarise(image, normal(image.shape, open_px), open_px))
    assert binary.min() < binary.max()
    for before, after in zip(image, binary, strict=True):
        np.testing.assert_array_equal(after[..., 0] > 0, opened(before[..., 0] > 0, open_px))


@pytest.mark.parametrize("open_px", [0, 3])
def test_the_gradient_goes_straight_through(open_px: int) -> None:
    said = tf.constant(RNG.uniform(-1, 1, (2, 9, 12, 1)), tf.float32)
    pull = RNG.normal(size=said.shape).astype(np.float32)
    with tf.GradientTape() as tape:
        tape.watch(said)
        loss = tf.reduce_sum(refining.binarise(said, normal(said.shape, open_px), open_px) * pull)
    np.testing.assert_array_equal(tape.gradient(loss, said), pull)


def network_of(shape: tuple[int, int]) -> keras.Model:
    """Convolutions whose sums round, and a tanh, which processors compute by other instructions at an array's end."""
    keras.utils.set_random_seed(0)
    image = keras.Input((*shape, 1))
    x = keras.layers.Conv2D(8, 3, padding="same", activation="relu")(image)
    return keras.Model(image, keras.layers.Conv2D(1, 3, padding="same", activation="tanh")(x))


@pytest.mark.parametrize("open_px", [0, 3])
def test_a_refined_image_follows_from_seed_and_index_whatever_the_batch(open_px: int) -> None:
    refiner = refining.Refiner(network_of((9, 13)), open_px)
    images, first = RNG.choice([-1.0, 1.0], (40, 9, 13, 1)).astype(np.float32), 2 * refining.BLOCK_IMAGES - 3
    whole, grey = refiner.refine(images, 7, first).numpy(), refiner.grey(images, first).numpy()
    for size in (1, 5, 16, 33):
        parts = [(images[k : k + size], first + k) for k in range(0, 40, size)]
        np.testing.assert_array_equal(np.concatenate([refiner.refine(p, 7, n) for p, n in parts]), whole)
        np.testing.assert_array_equal(np.concatenate([refiner.grey(p, n) for p, n in parts]), grey)
    assert not np.array_equal(refiner.refine(images, 8, first), whole)
    assert not np.array_equal(refiner.refine(images, 7, first + 1), whole)
    assert refiner.refine(images[:0], 7, first).shape == (0, 9, 13, 1)


def test_a_block_holds_an_image_at_the_place_of_its_index() -> None:
    images = np.zeros((3, 1, 1, 1), np.float32)
    places = refining.by_blocks(
        lambda block, number: (
            block + tf.range(refining.BLOCK_IMAGES, dtype=tf.float32)[:, None, None, None] + 100.0 * float(number)
        ),
        tf.constant(images),
        tf.constant(2 * refining.BLOCK_IMAGES - 2, tf.int64),
    )
    assert np.ravel(places).tolist() == [100.0 + refining.BLOCK_IMAGES - 2, 100.0 + refining.BLOCK_IMAGES - 1, 200.0]
