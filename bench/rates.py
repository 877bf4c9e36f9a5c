"""Images a CPU second of rivals that take turns, so that other work on a shared machine weighs on all alike."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import NamedTuple


class Rival(NamedTuple):
    """One contestant: images a turn, and what makes them."""

    images: int
    turn: Callable[[], object]


def rates_of(rivals: dict[str, Rival], rounds: int) -> dict[str, float]:
    """Images a second of the whole process's CPU time: medians over ``rounds`` interleaved ones after a warm-up."""
    seconds: dict[str, list[float]] = {name: [] for name in rivals}
    for round_ in range(rounds + 1):
        for name, rival in rivals.items():
            began = time.process_time()
            rival.turn()
            if round_:
                seconds[name].append(time.process_time() - began)
    return {name: rivals[name].images / statistics.median(taken) for name, taken in seconds.items()}
