"""What a stream tells of itself: counts, shares, workers, and the lines of `python -m synth_engine stream`."""

from __future__ import annotations

import re
import time
from itertools import islice

import pytest
from click.testing import CliRunner

from synth_engine import Recipe
from synth_engine.cli.engine import cli
from synth_engine.stream import StreamStats, WorkerStats, meter, open_stream


def test_every_worker_is_counted(tiny: Recipe) -> None:
    began = time.perf_counter()  # the workers begin while the stream is being opened
    with open_stream(tiny, 7, batch_size=4, batches=20, threads=3) as stream:
        assert len(list(stream)) == 20
        stats = stream.stats
        passed_s = time.perf_counter() - began
    assert [worker.name for worker in stats.workers] == ["synth-stream-0", "synth-stream-1", "synth-stream-2"]
    assert (sum(worker.batches for worker in stats.workers), stats.in_flight) == (20, 0)
    assert 0 < sum(worker.busy_s for worker in stats.workers) < 3 * passed_s


def test_the_calling_thread_is_a_worker_too(tiny: Recipe) -> None:
    with open_stream(tiny, 7, batch_size=4, threads=0) as stream:
        assert len(list(islice(stream, 5))) == 5
        stats = stream.stats
    (caller,) = stats.workers
    assert (caller.name, caller.batches, stats.in_flight) == ("caller", 5, 0)
    assert 0 < caller.busy_s <= stats.waited_s <= stats.open_s


def test_shares_follow_from_the_counts() -> None:
    stats = StreamStats(batches=2, images=100, candidates=400, waited_s=1.0, open_s=4.0)
    assert (stats.images_per_s, stats.waited_share, stats.rejected_share) == (25.0, 0.25, 0.75)
    nothing = StreamStats()
    assert (nothing.images_per_s, nothing.waited_share, nothing.rejected_share) == (0, 0, 0)


def test_a_stretch_is_what_lies_between_two_readings() -> None:
    before = StreamStats(
        batches=1,
        images=4,
        candidates=9,
        waited_s=0.5,
        open_s=1.0,
        workers=(WorkerStats(name="a", batches=2, busy_s=1),),
    )
    after = StreamStats(
        batches=3,
        images=12,
        candidates=25,
        waited_s=0.75,
        open_s=3.0,
        in_flight=4,
        workers=(WorkerStats(name="b", batches=1, busy_s=0.5), WorkerStats(name="a", batches=5, busy_s=2.5)),
    )
    stretch = after.since(before)
    assert (stretch.batches, stretch.images, stretch.candidates, stretch.in_flight) == (2, 8, 16, 4)
    assert (stretch.waited_s, stretch.open_s) == (0.25, 2.0)
    assert stretch.workers == (
        WorkerStats(name="b", batches=1, busy_s=0.5),
        WorkerStats(name="a", batches=3, busy_s=1.5),
    )
    assert meter.busy_shares(stretch) == [0.25, 0.75]


def test_a_rate_is_kept(tiny: Recipe) -> None:
    with open_stream(tiny, 7, batch_size=4, threads=1) as stream:
        taken = meter.measure(stream, 0.4, images_per_s=200)
    assert 1 <= taken.batches <= 21  # 20 in time; a busy machine may lose any number, never add


def test_a_stream_that_ends_is_left(tiny: Recipe) -> None:
    with open_stream(tiny, 7, batch_size=4, batches=6) as stream:
        assert meter.measure(stream, 3600.0).batches == 5


def test_progress_goes_to_stderr_and_the_summary_to_stdout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(meter, "INTERVAL_S", 0.1)
    result = CliRunner().invoke(cli, ["stream", "--seconds", "0.5", "--batch-size", "64", "--threads", "2"])
    said = r"[\d,]+ images/s, 1\d\.\d% of the candidates passed, the consumer waited \d+\.\d% of the time, \d+ batches"
    assert len(re.findall(rf"^ +\d s: {said}", result.stderr, re.M)) >= 2
    assert re.match(rf"{said}.*\n( +synth-stream-\d: \d+ batches, \d+\.\d\d ms each, busy \d+%\n){{2}}$", result.stdout)
