"""A function on chunks of a set gives what it gives on the whole."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

tf = pytest.importorskip("tensorflow")

from gan.assessment.chunks import CHUNK, for_chunks, in_chunks  # noqa: E402


@pytest.mark.parametrize(("rows", "graph"), [(3, False), (2 * CHUNK, True), (2 * CHUNK + 5, True)])
def test_chunks_are_joined_in_order_and_many_share_a_graph(rows: int, graph: bool) -> None:
    one, other = np.arange(rows, dtype=np.float32), np.arange(rows, dtype=np.int16)
    eager: list[bool] = []

    def add(numbers: Any, others: Any) -> Any:
        eager.append(tf.executing_eagerly())
        return numbers + tf.cast(others, tf.float32)

    act = for_chunks(add, rows)
    for _ in range(3):
        np.testing.assert_array_equal(in_chunks(act, one, other), 2 * one)
    assert eager == [False] * (1 + (rows % CHUNK > 0)) if graph else [True] * 3
