"""SimGAN's step: each network's updates, one scaling for both domains, logs that are means, data in a fixed order."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

tf = pytest.importorskip("tensorflow")

import keras  # noqa: E402

from gan.run.data import phase_batches, real_batches  # noqa: E402
from gan.settings.config import Config  # noqa: E402
from gan.simgan import losses  # noqa: E402
from gan.simgan.model import build_optimizer, build_simgan  # noqa: E402
from gan.simgan.schedule import phases  # noqa: E402
from synth_engine.training.value_range import to_network  # noqa: E402

SHAPE = (10, 20)
RNG = np.random.default_rng(0)


def small(**changes: Any) -> Config:
    return Config.preset("modern", **{"features": 8, "blocks": 1, "batch_size": 4, "history_batches": 2, **changes})


def data(synthetic: int, real: int) -> tuple[np.ndarray, np.ndarray]:
    return tuple(RNG.integers(0, 2, (count, 4, *SHAPE), np.uint8) for count in (synthetic, real))  # type: ignore[return-value]


def weights(network: keras.Model) -> np.ndarray:
    return np.concatenate([np.ravel(w) for w in network.get_weights()])


@pytest.mark.parametrize(("refiner_updates", "discriminator_updates"), [(1, 1), (2, 1), (3, 2)])
def test_a_step_updates_each_network_exactly_as_often_as_configured(
    refiner_updates: int, discriminator_updates: int
) -> None:
    model = build_simgan(small(refiner_updates=refiner_updates, discriminator_updates=discriminator_updates), SHAPE)
    model.train_step(data(refiner_updates + discriminator_updates, discriminator_updates))
    assert int(model.refiner_optimizer.iterations) == refiner_updates
    assert int(model.discriminator_optimizer.iterations) == discriminator_updates
    assert int(model.step) == 1


def test_every_update_sees_a_batch_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    model = build_simgan(small(refiner_updates=2, discriminator_updates=2), SHAPE)
    seen: list[tuple[float, ...]] = []
    for name in ("update_refiner", "update_discriminator"):
        monkeypatch.setattr(model, name, lambda *images: seen.append(tuple(map(float, images))) or {})
    model.train_step((np.arange(4), np.array([8, 9])))
    assert seen == [(0,), (1,), (2, 8), (3, 9)]


def test_equal_images_of_both_domains_look_equal_to_the_discriminator() -> None:
    config = small(noise_stddev=0.0, spectral_normalisation=False)
    model = build_simgan(config, SHAPE)  # the refiner starts as the identity
    (images,), _ = data(1, 1)
    odds = losses.realness(model.discriminator(to_network(images)))
    expected = tf.reduce_mean(tf.nn.softplus(-odds) + tf.nn.softplus(odds))
    logs = model.update_discriminator(tf.constant(images), tf.constant(images))
    assert float(logs["accuracy_real"] + logs["accuracy_refined"]) == pytest.approx(1.0)
    assert float(logs["discriminator_real"] + logs["discriminator_refined"]) == pytest.approx(float(expected))


def test_an_update_of_one_network_leaves_the_other_alone() -> None:
    model = build_simgan(small(), SHAPE)
    (synthetic,), (real,) = data(1, 1)
    refiner, discriminator = weights(model.refiner), weights(model.discriminator)
    model.update_refiner(tf.constant(synthetic))
    assert not np.array_equal(weights(model.refiner), refiner)
    np.testing.assert_array_equal(weights(model.discriminator), discriminator)
    refiner = weights(model.refiner)
    model.update_discriminator(tf.constant(synthetic), tf.constant(real))
    assert not np.array_equal(weights(model.discriminator), discriminator)
    np.testing.assert_array_equal(weights(model.refiner), refiner)


def test_logs_are_means_over_all_updates(monkeypatch: pytest.MonkeyPatch) -> None:
    model = build_simgan(small(refiner_updates=2), SHAPE)
    values = iter([1.0, 3.0, 5.0, 7.0])
    monkeypatch.setattr("gan.simgan.losses.self_regularisation", lambda *_: tf.constant(next(values)))
    for expected in (2.0, 4.0):
        logs = model.train_step(data(3, 1))
        assert float(logs["self_reg"]) == expected


def test_a_heavier_self_regularisation_changes_less() -> None:
    changes = []
    for weight in (0.0, 50.0):
        model = build_simgan(small(self_reg_weight=weight, refiner_rate=1e-2, ema_decay=0.0), SHAPE)
        batches = data(2, 1)
        for _ in range(4):
            model.train_step(batches)
        images = to_network(batches[0][0])
        changes.append(float(losses.mean_change(model(images), images)))
    assert changes[0] > 2 * changes[1]


def test_the_r1_penalty_counts_every_few_updates_and_as_much_more_then() -> None:
    paid = {}
    for every in (1, 3):
        model = build_simgan(small(r1_weight=0.5, r1_steps=every, noise_stddev=0.0), SHAPE)
        update, images = tf.function(model.update_discriminator), [tf.constant(each[0]) for each in data(1, 1)]
        paid[every] = []
        for _ in range(4):
            model.reset_metrics()
            paid[every].append(float(update(*images)["r1_penalty"]))
    assert [value > 0 for value in paid[3]] == [True, False, False, True]
    assert paid[3][0] == pytest.approx(3 * paid[1][0], rel=0.5)  # other images, the same first weights


def test_a_larger_r1_weight_flattens_the_discriminator() -> None:
    penalties = []
    for weight in (0.0, 100.0):
        model = build_simgan(small(r1_weight=weight, r1_steps=1, discriminator_rate=1e-2), SHAPE)
        synthetic, real = (tf.constant(each[0]) for each in (np.ones((1, 4, *SHAPE)), np.zeros((1, 4, *SHAPE))))
        for _ in range(10):
            model.update_discriminator(synthetic, real)
        penalties.append(float(losses.r1_penalty(to_network(real), model.discriminator)))
    assert penalties[1] < 0.5 * penalties[0]


def test_the_averaged_refiner_follows_slowly() -> None:
    model = build_simgan(small(ema_decay=0.9), SHAPE)
    start = weights(model.refiner)
    model.update_refiner(tf.constant(data(1, 1)[0][0]))
    np.testing.assert_allclose(
        weights(model.averaged) - start, 0.1 * (weights(model.refiner) - start), rtol=1e-3, atol=1e-7
    )


@pytest.mark.parametrize("kind", ["refiner", "discriminator"])
def test_pre_training_updates_one_network_only(kind: str) -> None:
    model = build_simgan(Config.preset("paper", features=8, blocks=1, batch_size=4, history_batches=2), SHAPE)
    model.enter(kind)
    logs = model.train_step(data(1, 1))
    counts = {name: int(getattr(model, f"{name}_optimizer").iterations) for name in ("refiner", "discriminator")}
    assert counts == {"refiner": kind == "refiner", "discriminator": kind == "discriminator"}
    assert ("self_reg" in logs) == (kind == "refiner")


def test_real_images_come_in_permutations_that_resume_anywhere() -> None:
    images = np.arange(10, dtype=np.uint8)[:, None, None]
    passes = [batch.numpy().ravel() for batch in real_batches(images, 4, 3, 0, 5)]
    order = np.concatenate(passes)
    assert sorted(order[:10]) == sorted(order[10:]) == list(range(10))
    assert list(order[:10]) != list(order[10:])
    resumed = [batch.numpy().ravel() for batch in real_batches(images, 4, 3, 2, 3)]
    np.testing.assert_array_equal(resumed, passes[2:])


def test_a_phase_gets_its_batches_in_groups() -> None:
    phase = phases(small(refiner_updates=2))[-1]
    batches = tf.data.Dataset.range(6).map(lambda i: tf.fill((4, *SHAPE), tf.cast(i, tf.uint8)))
    synthetic, real = next(iter(phase_batches(batches, batches, phase)))
    assert synthetic[:, 0, 0, 0].numpy().tolist() == [0, 1, 2]
    assert real[:, 0, 0, 0].numpy().tolist() == [0]


def test_the_refiner_learns_what_real_images_have_by_chance() -> None:
    """A gap in a line that every other real image has filled, and no synthetic one: filled as often, little else done.

    Synthetic images are all alike: cut at 0 in place of at random, refined ones would all have it or none.
    """
    config = small(batch_size=16, steps=120, refiner_rate=1e-3, discriminator_rate=3e-3, self_reg_weight=1.0)
    model = build_simgan(config.replace(ema_decay=0.9), (16, 24))
    step = tf.function(model.train_step)
    for _ in range(config.steps):
        step((tf.constant(lines(32, 0.0).reshape(2, 16, 16, 24)), tf.constant(lines(16, 0.5)[None])))
    synthetic = to_network(lines(400, 0.0))
    refined = np.asarray(model.binarise(model(synthetic)))
    assert 0.2 < (refined[:, 8, 12] > 0).mean() < 0.8
    assert (refined != synthetic).mean() < 0.02


def lines(count: int, filled: float) -> np.ndarray:
    """Images (count, 16, 24) uint8 of a dotted line, whose gap is ``filled`` by chance."""
    images = np.zeros((count, 16, 24), np.uint8)
    images[:, 8, ::2] = 1
    images[:, 8, 12] = RNG.random(count) < filled
    return images


def test_rates_fall_to_a_fiftieth_over_all_updates() -> None:
    optimizer = build_optimizer(small(), 1e-3, updates=10)
    optimizer.build([tf.Variable([1.0])])
    assert float(optimizer.learning_rate) == pytest.approx(1e-3)
    optimizer.iterations.assign(10)
    assert float(optimizer.learning_rate) == pytest.approx(2e-5)
    assert float(build_optimizer(small(rate_falls=False), 1e-3, updates=10).learning_rate) == pytest.approx(1e-3)
