"""Ray actors as producers. One private Ray serves the whole module: starting one takes seconds."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from synth_engine import Recipe, Synthesizer
from synth_engine.errors import FontError, RejectionError, StreamError
from synth_engine.recipe import Filter, Font
from synth_engine.stream import open_stream
from synth_engine.stream.core.plan import StreamPlan
from synth_engine.stream.ray import cluster as ray_cluster
from synth_engine.stream.ray import crew as ray_crew
from synth_engine.stream.ray.calls import TURNS_IN_A_ROW, kept_busy, share_out, worker_asked
from synth_engine.stream.ray.cluster import Cluster
from synth_engine.stream.ray.same_build import versions
from synth_engine.stream.ray.superbatch import SharedBlock
from tests.synth_engine.stream.ray_tools import assert_whole, descendants, listening, processes, producer_of

MIB = 2**20


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    held = Cluster("local")
    yield held
    held.release()


@pytest.mark.usefixtures("cluster")
def test_actors_deliver_the_synthesizers_bytes(hackmit: Recipe) -> None:
    with open_stream(hackmit, 7, batch_size=6, start_batch=5, batches=11, workers=2) as stream:
        assert len(set(processes(stream))) == 2
        assert_whole(hackmit, stream, 11)
        assert list(stream) == []


@pytest.mark.usefixtures("cluster")
def test_batches_before_a_rejection_arrive_and_then_the_error_once(tiny: Recipe) -> None:
    recipe = tiny.replace(filter=Filter(gap_px=7, tries_max=10))
    with open_stream(recipe, 7, batch_size=1) as stream, pytest.raises(RejectionError) as local:
        list(stream)
    good = stream.stats.batches
    assert good > 0
    with open_stream(recipe, 7, batch_size=1, workers=1) as stream:
        assert_whole(recipe, stream, good)
        with pytest.raises(RejectionError, match="rejected all 10 candidates") as remote:
            next(stream)
        assert (str(remote.value), remote.value.value) == (str(local.value), good)
        assert list(stream) == []


@pytest.mark.usefixtures("cluster")
def test_a_missing_font_is_found_before_any_actor_starts(tiny: Recipe) -> None:
    with pytest.raises(FontError, match=r"nowhere\.ttf"):
        open_stream(tiny.replace(fonts=(Font(file="nowhere.ttf", size_px=16),)), 7, batch_size=4, workers=1)


@pytest.mark.usefixtures("cluster")
def test_actors_that_do_not_start_in_time_are_counted(tiny: Recipe, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ray_crew, "START_TIMEOUT_S", 0.001)
    with pytest.raises(StreamError, match=r"expected 2 Ray actors to start within 0\.001 s, received 0; ask for fewer"):
        open_stream(tiny, 7, batch_size=4, workers=2)


@pytest.mark.usefixtures("cluster")
def test_an_actor_that_does_not_answer_is_given_up(tiny: Recipe, monkeypatch: pytest.MonkeyPatch) -> None:
    with open_stream(tiny, 7, batch_size=4, workers=1) as stream:
        (pid,) = processes(stream)
        os.kill(pid, signal.SIGSTOP)
        monkeypatch.setattr(ray_crew, "ANSWER_TIMEOUT_S", 0.5)
        try:
            with pytest.raises(StreamError, match=r"to answer within 0\.5 s, received nothing"):
                list(stream)
        finally:
            os.kill(pid, signal.SIGCONT)


def test_a_joined_cluster_is_left_running(cluster: Cluster, tiny: Recipe, tmp_path: Path) -> None:
    import ray

    address = ray.get_runtime_context().gcs_address
    code = (
        "import sys; from synth_engine import Recipe; from synth_engine.stream import open_stream\n"
        "recipe = Recipe.load(sys.argv[1])\n"
        "with open_stream(recipe, 7, batch_size=5, batches=3, workers=1, ray_address=sys.argv[2]) as stream:\n"
        "    print(sum(int(batch.images.sum()) for batch in stream))\n"
        "import ray; print(ray.is_initialized())\n"
    )
    tiny.save(tmp_path / "tiny.toml")
    command = [sys.executable, "-c", code, str(tmp_path / "tiny.toml"), address]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.split()[-2:] == [str(Synthesizer(tiny, 7).batch(0, 15).images.sum()), "False"]
    assert cluster.started_here
    with open_stream(tiny, 7, batch_size=5, workers=1, ray_address=address) as stream:
        assert_whole(tiny, stream, 2)


def test_a_private_ray_lives_as_long_as_a_holder(cluster: Cluster) -> None:
    import ray

    second = Cluster()
    second.release()
    second.release()
    assert ray.is_initialized()
    assert cluster.cpus_per_actor(16) == 0
    assert ray.get_runtime_context().gcs_address.startswith("127.")


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("127.0.0.1:1", r"Ray at '127\.0\.0\.1:1': nobody answers there .*`ray start --head`"),
        ("somewhere", "Ray address expected as HOST:PORT, auto or local, received 'somewhere'"),
    ],
)
def test_an_address_without_ray_is_an_error_at_once(tiny: Recipe, address: str, message: str) -> None:
    with pytest.raises(StreamError, match=message):
        open_stream(tiny, 7, batch_size=4, workers=1, ray_address=address)


def test_without_ray_the_remedy_is_named(tiny: Recipe, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(StreamError, match="Ray is not installed; install the extra `train`, or use `workers=0`"):
        open_stream(tiny, 7, batch_size=4, workers=1)


def test_something_else_at_the_address_is_an_error_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ray_cluster, "CONNECT_TIMEOUT_S", 2.0)
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
        with pytest.raises(StreamError, match=r"no cluster accepted a driver within 2 s"):
            ray_cluster._check_reachable(address)


def test_another_ray_than_the_one_connected_is_refused(cluster: Cluster, tiny: Recipe) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
        with pytest.raises(StreamError, match=f"Ray at '{address}' expected, this process is connected to"):
            open_stream(tiny, 7, batch_size=4, workers=1, ray_address=address)
    assert cluster.started_here


@pytest.mark.parametrize("at_once", [1, 3, 64])
@pytest.mark.parametrize("batch_size", [16, 512, 8192])
@pytest.mark.parametrize("batches", [None, 3, 1000])
def test_calls_in_flight_fit_the_memory_for_them(
    hackmit: Recipe, at_once: int, batch_size: int, batches: int | None
) -> None:
    plan = StreamPlan(recipe=hackmit, seed=0, batch_size=batch_size, batches=batches)
    per_call, in_flight = share_out(plan, at_once=at_once, budget=128 * MIB, row_bytes=plan.batch_bytes, batch_s=0.001)
    assert per_call * in_flight * plan.batch_bytes <= 128 * MIB
    assert 1 <= in_flight <= 2 * at_once
    assert per_call == 1 or per_call * plan.batch_bytes <= 32 * MIB


def test_a_short_stream_is_shared_by_those_who_are_kept_busy(hackmit: Recipe) -> None:
    plan = StreamPlan(recipe=hackmit, seed=0, batch_size=16, batches=9)
    assert share_out(plan, at_once=2, budget=128 * MIB, row_bytes=plan.batch_bytes, batch_s=0.001) == (5, 4)


@pytest.mark.parametrize(
    ("workers", "cpus", "expected"), [(16, 2.0, 2), (16, 2.5, 3), (2, 64.0, 2), (1, 0.5, 1), (4, 0.0, 1)]
)
def test_no_more_actors_are_kept_busy_than_there_are_processors(workers: int, cpus: float, expected: int) -> None:
    assert kept_busy(workers, cpus) == expected


@pytest.mark.parametrize(("workers", "at_once"), [(1, 1), (2, 2), (16, 2), (16, 3), (5, 4), (7, 7)])
def test_every_actor_has_its_turn_and_no_more_at_once_than_are_kept_busy(workers: int, at_once: int) -> None:
    calls = [worker_asked(call, workers, at_once) for call in range(workers * at_once * TURNS_IN_A_ROW)]
    assert set(Counter(calls).values()) == {at_once * TURNS_IN_A_ROW}
    stretch = at_once * TURNS_IN_A_ROW
    assert {len(set(calls[first : first + stretch])) for first in range(0, len(calls), stretch)} == {at_once}


def test_a_call_of_a_slow_recipe_is_short(hackmit: Recipe) -> None:
    plan = StreamPlan(recipe=hackmit, seed=0, batch_size=16)
    for batch_s, expected in ((0.3, 3), (30.0, 1)):
        assert share_out(plan, at_once=2, budget=128 * MIB, row_bytes=8192, batch_s=batch_s)[0] == expected


@pytest.mark.usefixtures("cluster")
def test_a_batch_that_does_not_fit_the_store_is_an_error(hackmit: Recipe, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SharedBlock, "supported", False)
    with pytest.raises(StreamError, match=r"\d+ MiB expected to fit .* store\), received 128 MiB; make `batch_size`"):
        open_stream(hackmit, 7, batch_size=300_000, workers=1)


@pytest.mark.usefixtures("cluster")
def test_workers_with_other_versions_are_refused(tiny: Recipe, monkeypatch: pytest.MonkeyPatch) -> None:
    other = versions() | {"synth_engine": "9.9", "Python": "4.0"}
    monkeypatch.setattr(ray_crew, "versions", lambda: other)
    with pytest.raises(StreamError, match=r"the driver's Python 4\.0, synth_engine 9\.9; received Python 3\.\d+, s"):
        open_stream(tiny, 7, batch_size=4, workers=1)


@pytest.mark.usefixtures("cluster")
def test_a_private_ray_listens_on_loopback_alone() -> None:
    addresses = listening([os.getpid(), *descendants(os.getpid())])
    assert addresses
    assert addresses <= {"0100007F", "00000000000000000000000001000000", "0000000000000000FFFF00000100007F"}


@pytest.mark.usefixtures("cluster")
def test_sixteen_actors_on_any_number_of_processors(tiny: Recipe) -> None:  # last: Ray is slow for a while after it
    with open_stream(tiny, 7, batch_size=3, batches=40, workers=16) as stream:
        assert_whole(tiny, stream, 40)
        assert producer_of(stream)._in_flight <= 2 * (os.cpu_count() or 1)


@pytest.mark.parametrize(("free", "wanted"), [({"CPU": 1.5}, ray_crew.SLIVER_CPUS), ({"CPU": 0.0}, 0.0), ({}, 0.0)])
def test_a_replacement_wants_a_sliver_of_a_cpu_only_where_one_is_free(
    free: dict[str, float], wanted: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A node without CPUs takes an actor that wants none; one that wants some waits for ever where all are taken."""
    monkeypatch.setattr(ray_crew, "import_ray", lambda: SimpleNamespace(available_resources=lambda: free))
    assert ray_crew._free_sliver() == wanted
