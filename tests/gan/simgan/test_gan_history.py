"""The history buffer: it fills, gives half a batch back, and replaces half a batch."""

from __future__ import annotations

import numpy as np
import pytest

tf = pytest.importorskip("tensorflow")

from gan.simgan.history import HistoryBuffer  # noqa: E402
from synth_engine.errors import RunError  # noqa: E402

BATCH = 4


def batch(number: int) -> np.ndarray:
    """A batch whose image k bears the number 4 * number + k + 1, in binary, ink for 1."""
    bits = (BATCH * number + 1 + np.arange(BATCH))[:, None] >> np.arange(15) & 1
    return np.where(bits.reshape(BATCH, 3, 5, 1), 1, -1).astype(np.float32)


def values(images: object) -> list[int]:
    """The numbers that images bear; 0 for an empty one."""
    return ((np.asarray(images).reshape(-1, 15) > 0) << np.arange(15)).sum(axis=1).tolist()


def buffer(capacity: int = 8, seed: int = 0) -> HistoryBuffer:
    return HistoryBuffer(capacity, (3, 5), BATCH, seed)


def test_the_first_batch_comes_back_whole_and_half_of_it_is_kept() -> None:
    history = buffer()
    assert values(history.exchange(batch(5))) == values(batch(5))
    assert int(history.filled) == 2
    assert values(history.images)[:2] == values(batch(5))[:2]


def test_from_then_on_half_a_batch_comes_from_history() -> None:
    history = buffer()
    history.exchange(batch(5))
    mixed = values(history.exchange(batch(50)))
    assert mixed[:2] == values(batch(50))[:2]
    assert sorted(mixed[2:]) == sorted(values(batch(5))[:2])


def test_it_fills_and_stays_full() -> None:
    history = buffer()
    filled = []
    for k in range(6):
        history.exchange(batch(k))
        filled.append(int(history.filled))
    assert filled == [2, 4, 6, 8, 8, 8]
    assert 0 not in values(history.images)


def test_once_full_half_a_batch_replaces_as_many_other_images() -> None:
    history = buffer()
    for k in range(4):
        history.exchange(batch(k))
    before = values(history.images)
    history.exchange(batch(50))
    after = values(history.images)
    assert sum(old != new for old, new in zip(before, after, strict=True)) == BATCH // 2
    assert set(values(batch(50))[:2]) <= set(after)


def test_the_same_seed_picks_the_same_images_inside_a_graph_too() -> None:
    runs = []
    for wrap in (tf.function, lambda call: call):
        history = buffer(seed=3)
        exchange = wrap(history.exchange)
        runs.append([values(exchange(tf.constant(batch(k)))) for k in range(8)])
    assert runs[0] == runs[1]


def test_an_odd_batch_is_refused() -> None:
    with pytest.raises(RunError, match=r"even size.*received 9 images in batches of 3"):
        HistoryBuffer(9, (3, 5), 3, 0)
