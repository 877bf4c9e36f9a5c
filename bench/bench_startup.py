"""How long a fresh process takes: to import the engine, and to its first batch with cold and with warm caches.

Every figure is a whole process, the interpreter's own start and end included, but for "inside": the wall time from
before the import to after it, or to after the first batch, which `WANTED_S` is about. "cold" compiles the
kernels and renders the glyph bank into an empty cache folder; "warm" finds both where a cold start left them.
`extra_info` holds medians in CPU seconds (user and system, all threads) and in wall seconds. On a shared machine the
CPU time as a multiple of that of `import numpy, numba` in the same rounds is the figure to compare, and the only one
that is asserted.
SYNTH_BENCH_TINY=1 runs one round.
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

ROOT = Path(__file__).parents[1]
TINY = os.environ.get("SYNTH_BENCH_TINY") == "1"
ROUNDS, REPEATS = (1, 1) if TINY else (3, 3)  # a cold start a round, and so many of the others
RECIPES = ("hackmit",) if TINY else ("hackmit", "hackmit-target")
FIRST_BATCH = "from synth_engine import Recipe, Synthesizer; Synthesizer(Recipe.named({!r}), seed=7).batch(0, 512)"
TIMED = "import time; began = time.perf_counter(); {}; print(time.perf_counter() - began)"
WANTED_S = {"import": 0.35, "warm": 0.6, "cold": 8.0}
MOST = {"import": 1.0, "warm": 4.0, "cold": 60.0}  # × the libraries' import: twice what was measured

pytestmark = pytest.mark.benchmark(group="startup")


class Cost(NamedTuple):
    """Seconds of a process: its CPU time, its wall time, and the wall time that its code took."""

    cpu: float
    wall: float
    inside: float


def process(code: str, cache: Path) -> Cost:
    """Run ``code`` in a fresh interpreter with this cache folder; raises CalledProcessError when it fails."""
    kept = {name: value for name, value in os.environ.items() if name != "NUMBA_CACHE_DIR"}
    environment = {**kept, "SYNTH_ENGINE_CACHE": str(cache), "PYTHONPATH": str(ROOT)}
    before, began = children_cpu(), time.perf_counter()
    command = [sys.executable, "-c", TIMED.format(code)]
    printed = subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout
    return Cost(children_cpu() - before, time.perf_counter() - began, float(printed))


def children_cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def median(costs: list[Cost]) -> Cost:
    return Cost(*map(statistics.median, zip(*costs, strict=True)))


@pytest.mark.parametrize("recipe", RECIPES)
def test_a_fresh_process(benchmark: BenchmarkFixture, tmp_path: Path, recipe: str) -> None:
    first_batch = FIRST_BATCH.format(recipe)
    kinds = {"libraries": "import numpy, numba", "import": "import synth_engine", "warm": first_batch}
    costs: dict[str, list[Cost]] = {kind: [] for kind in ("cold", *kinds)}

    def one_round() -> None:
        cache = tmp_path / f"cache-{len(costs['cold'])}"
        costs["cold"].append(process(first_batch, cache))
        for _ in range(REPEATS):
            for kind, code in kinds.items():
                costs[kind].append(process(code, cache))

    benchmark.pedantic(one_round, rounds=ROUNDS)
    medians = {kind: median(each) for kind, each in costs.items()}
    ratios = {kind: medians[kind].cpu / medians["libraries"].cpu for kind in MOST}
    for kind, cost in medians.items():
        benchmark.extra_info[kind] = {f"{name}_s": round(value, 3) for name, value in cost._asdict().items()}
    benchmark.extra_info["cpu ratios"] = {kind: round(ratio, 2) for kind, ratio in ratios.items()}
    benchmark.extra_info["wanted_s"] = WANTED_S
    benchmark.extra_info["machine"] = f"{os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f}"
    assert all(ratio < MOST[kind] for kind, ratio in ratios.items()), ratios
