"""What one driver can take: sixteen actors on few cores, and a simulated cluster whose actors use no CPU time.

    PYTHONPATH=. python bench/bench_scale.py --raylets 0 1 2 4

Rendering is replaced by waiting for as long as it would take (`--images-per-s` an actor), so that what limits the rate
is delivery: Ray's calls, the object stores, the network between raylets (here: loopback), and the driver. CPU time is
measured for each process. On a real cluster, the driver's machine spends only that of the driver and of its own raylet.
`--unpacked` sends images as they are in place of a bit a pixel. SYNTH_BENCH_TINY=1 runs everything once and small.
docs/scale.md is written from this.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from synth_engine import FillCount, Recipe
from synth_engine.stream import open_stream
from synth_engine.stream.core.stream import Stream
from synth_engine.stream.ray import crew
from synth_engine.stream.ray.actor import RenderActor
from synth_engine.stream.ray.cluster import Cluster, import_ray
from synth_engine.stream.ray.superbatch import SuperbatchLayout

TINY = os.environ.get("SYNTH_BENCH_TINY") == "1"
BATCH_SIZE = 64 if TINY else 512
BATCHES = 20 if TINY else 1500
ROUNDS = 1 if TINY else 9
ROOT = str(Path(__file__).parents[1])
MIB = 2**20
TICK_S = 1 / os.sysconf("SC_CLK_TCK")

pytestmark = pytest.mark.benchmark(group="scale")


class WaitingActor(RenderActor):
    """Waits as long as rendering takes on one core, and uses none of this machine's CPU time."""

    batch_s = 0.0
    packs = True

    @property
    def _packed(self) -> SuperbatchLayout:  # type: ignore[override]
        return SuperbatchLayout(self._plan, packed=self.packs)

    def _fill(self, row: Any, index: int, layout: Any) -> FillCount:  # noqa: ARG002
        if self._rendered < self._batches:  # what pages cost is paid once
            row[:] = index
        self._rendered += 1
        self._owed_s = getattr(self, "_owed_s", 0.0) + self.batch_s
        if self._owed_s > 0.005:  # shorter sleeps are not kept
            began = time.perf_counter()
            time.sleep(self._owed_s)
            self._owed_s -= time.perf_counter() - began
        return FillCount(self._plan.batch_size, 0)


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    held = Cluster("local")
    yield held
    held.release()


def test_sixteen_actors_against_two(benchmark: BenchmarkFixture, cluster: Cluster) -> None:
    """Real rendering; the crews take turns, and wait while it is the other's."""
    assert cluster.started_here
    recipe, seconds = Recipe.named("hackmit"), {2: [], 16: []}
    with (
        open_stream(recipe, 7, batch_size=BATCH_SIZE, workers=2) as two,
        open_stream(recipe, 7, batch_size=BATCH_SIZE, workers=16) as sixteen,
    ):
        crews = {2: two, 16: sixteen}

        def one_round() -> None:
            for workers, stream in crews.items():
                took, _ = timed(partial(take, stream, BATCHES), [])
                seconds[workers].append(took)

        benchmark.pedantic(one_round, rounds=ROUNDS, warmup_rounds=1)
    medians = {workers: statistics.median(taken[1:]) for workers, taken in seconds.items()}
    benchmark.extra_info["images_per_s"] = {n: round(BATCHES * BATCH_SIZE / taken) for n, taken in medians.items()}
    benchmark.extra_info["sixteen_to_two"] = round(medians[2] / medians[16], 2)


@pytest.mark.parametrize("raylets", [1] if TINY else [1, 2, 4])
def test_a_simulated_cluster(benchmark: BenchmarkFixture, raylets: int) -> None:
    """In a process of its own: this one is connected to a Ray already."""
    command = [sys.executable, __file__, "--raylets", str(raylets)]
    environment = os.environ | {"PYTHONPATH": ROOT}

    def one_round() -> None:
        done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
        benchmark.extra_info.update(json.loads(done.stdout.splitlines()[-1]))

    benchmark.pedantic(one_round, rounds=1)


def simulate(raylets: int, actors: int, images_per_s: float, packs: bool) -> dict[str, Any]:
    """Deliver from ``actors`` waiting actors on each of so many raylets, 0 for the driver's own node alone."""
    WaitingActor.batch_s, WaitingActor.packs = BATCH_SIZE / images_per_s, packs
    os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"  # all on loopback
    os.environ["PYTHONPATH"] = ROOT
    import_ray()
    from ray.cluster_utils import Cluster as Raylets

    crew.RenderActor = WaitingActor
    store = {"object_store_memory": 512 * MIB}
    head = {"num_cpus": 0 if raylets else actors, "include_dashboard": False, **store}
    nodes = Raylets(initialize_head=True, head_node_args=head)
    try:
        for _ in range(raylets):
            nodes.add_node(num_cpus=actors, **store)
        nodes.wait_for_nodes()
        workers = actors * max(raylets, 1)
        recipe = Recipe.named("hackmit")
        with open_stream(recipe, 7, batch_size=BATCH_SIZE, workers=workers, ray_address=nodes.address) as stream:
            stream._producer._packed = SuperbatchLayout(stream.plan, packed=packs)
            about = {"raylets": raylets, "actors": workers, "packed": packs, "offered": round(workers * images_per_s)}
            return measure(stream, about)
    finally:
        nodes.shutdown()


def measure(stream: Stream, about: dict[str, Any]) -> dict[str, Any]:
    """Rate, and CPU µs a batch of each kind of process."""
    take(stream, BATCHES)
    below = {pid: command_of(pid) for pid in descendants(os.getpid())}
    raylets = [pid for pid, command in below.items() if "raylet/raylet" in command]
    own = [pid for pid in raylets if "--head" in below[pid]]
    actors = [pid for pid, command in below.items() if command.startswith("ray::WaitingActor")]
    groups = {"driver": [os.getpid()], "its raylet": own, "other raylets": list({*raylets} - {*own}), "actors": actors}
    took, cpu = timed(partial(take, stream, BATCHES), list(groups.values()))
    return about | {
        "images_per_s": round(BATCHES * BATCH_SIZE / took),
        "batches_per_s": round(BATCHES / took),
        "cpu_us_per_batch": {name: round(spent / BATCHES * 1e6) for name, spent in zip(groups, cpu, strict=True)},
        "load": round(os.getloadavg()[0], 1),
    }


def timed(run: Any, groups: list[list[int]]) -> tuple[float, list[float]]:
    """Wall seconds, and CPU seconds of each group of processes meanwhile."""
    before, began = [sum(map(cpu_s, pids)) for pids in groups], time.perf_counter()
    run()
    took = time.perf_counter() - began
    return took, [sum(map(cpu_s, pids)) - spent for pids, spent in zip(groups, before, strict=True)]


def take(stream: Stream, batches: int) -> None:
    for batch in islice(stream, batches):
        batch.images[0, 0, 0]


def cpu_s(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) * TICK_S


def descendants(pid: int) -> list[int]:
    processes = [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()]
    parents = {process: parent_of(process) for process in processes}
    found = [pid]
    for parent in found:
        found += [child for child, above in parents.items() if above == parent]
    return found[1:]


def parent_of(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0


def command_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return ""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--raylets", type=int, nargs="+", default=[0, 1, 2, 4], help="0: the driver's node alone")
    parser.add_argument("--actors", type=int, default=2, help="on each")
    parser.add_argument("--images-per-s", type=float, default=370_000.0, help="that one actor would render")
    parser.add_argument("--unpacked", action="store_true", help="send 8 bits a pixel")
    options = parser.parse_args()
    for raylets in options.raylets:
        sys.stdout.write(
            json.dumps(simulate(raylets, options.actors, options.images_per_s, not options.unpacked)) + "\n"
        )
        sys.stdout.flush()


if __name__ == "__main__":
    main()
