"""Several processes and machines make the same bytes, and end in order."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from synth_engine import Recipe
from synth_engine.errors import RunError
from synth_engine.export import export_dataset
from synth_engine.export.workers import interrupts_held
from synth_engine.recipe import Filter
from tests.synth_engine.export.export_tools import ROOT, contents


def test_machines_share_a_folder(tmp_path: Path, tiny: Recipe) -> None:
    tiny.save(tmp_path / "tiny.toml")
    common = ["--recipe", str(tmp_path / "tiny.toml"), "--count", "50", "--format", "webdataset", "--shards", "4"]
    base = [sys.executable, "-m", "synth_engine", "export", *common, "--out", str(tmp_path / "out"), "--workers", "0"]
    parts = [subprocess.Popen([*base, *some]) for some in (["--shard", "0:2"], ["--shard", "2", "--shard", "3"])]
    assert [part.wait(timeout=60) for part in parts] == [0, 0]
    export_dataset(tiny, tmp_path / "one", count=50, format="webdataset", shards=4)
    assert contents(tmp_path / "out") == contents(tmp_path / "one")


def test_workers_write_the_same_bytes(tmp_path: Path, tiny: Recipe) -> None:
    for workers in (0, 2):
        done = export_dataset(tiny, tmp_path / str(workers), count=1300, format="webdataset", shards=3, workers=workers)
        assert (done.images, done.made, done.kept) == (1300, 3, 0)
    assert contents(tmp_path / "0") == contents(tmp_path / "2")


def test_a_workers_failure_comes_home_with_its_shard(tmp_path: Path, tiny: Recipe) -> None:
    never = tiny.replace(filter=Filter(gap_px=39, tries_max=20))
    with pytest.raises(RunError, match=r"shard \d of 2: recipe tiny: the filter rejected all 20 candidates") as caught:
        export_dataset(never, tmp_path, count=8, shards=2, workers=2)
    assert caught.value.value in (0, 1)
    assert sorted(contents(tmp_path)) == ["dataset.toml", "recipe.toml"]


@pytest.mark.usefixtures("interruptible")
def test_interrupt_ends_the_workers_and_leaves_whole_shards(tmp_path: Path, tiny: Recipe) -> None:
    tiny.save(tmp_path / "tiny.toml")
    out, plan = tmp_path / "out", ["--count", "4000000", "--shards", "1000", "--format", "webdataset", "--workers", "2"]
    command = ["-m", "synth_engine", "export", "--recipe", str(tmp_path / "tiny.toml"), *plan, "--out", str(out)]
    export = subprocess.Popen([sys.executable, *command], stderr=subprocess.PIPE, text=True, start_new_session=True)
    while not list(out.glob("shard-*")) and export.poll() is None:
        time.sleep(0.05)
    os.killpg(export.pid, signal.SIGINT)  # as a terminal does, to the workers too
    assert export.communicate(timeout=60)[1].split() == ["interrupted"]
    assert export.returncode == 130
    found = contents(out)
    made = [int(name[6:11]) for name in found if name.startswith("shard-")]
    assert len(found) == 2 + len(made)
    export_dataset(tiny, tmp_path / "one", count=4_000_000, shards=1000, format="webdataset", only=made[:1])
    assert contents(tmp_path / "one").items() <= found.items()


def interrupted_start() -> str:
    """What a process started while Ctrl-C is held says of its own signals; by then Ctrl-C has been pressed."""
    code = "import signal; print(signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, []))"
    signal.raise_signal(signal.SIGINT)
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout


@pytest.mark.usefixtures("interruptible")
def test_ctrl_c_waits_until_processes_have_started_and_never_reaches_them() -> None:
    blocked = []
    with pytest.raises(KeyboardInterrupt), interrupts_held():
        blocked.append(interrupted_start())
    assert blocked == ["True\n"]


def test_a_lost_worker_is_an_error_that_says_how_to_go_on(tmp_path: Path, tiny: Recipe) -> None:
    def kill_one() -> None:
        while not list(tmp_path.glob("shard-*")):
            time.sleep(0.01)
        multiprocessing.active_children()[0].kill()

    threading.Thread(target=kill_one).start()
    with pytest.raises(RunError, match="a worker was lost without a word"):
        export_dataset(tiny, tmp_path, count=4_000_000, shards=1000, format="webdataset", workers=2)


ORPHANS = """
import multiprocessing, os, pathlib, signal, sys, threading, time
from synth_engine import Recipe
from synth_engine.export import export_dataset

def die(out):
    while not list(out.glob("shard-*")):
        time.sleep(0.02)
    print(*(worker.pid for worker in multiprocessing.active_children()), flush=True)
    os.kill(os.getpid(), signal.SIGKILL)

recipe, out = sys.argv[1:]
threading.Thread(target=die, args=[pathlib.Path(out)]).start()
export_dataset(Recipe.load(recipe), out, count=4_000_000, shards=1000, format="webdataset", workers=2)
"""


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="asks Linux which processes run")
def test_workers_end_with_a_killed_parent(tmp_path: Path, tiny: Recipe) -> None:
    tiny.save(tmp_path / "tiny.toml")
    command = [sys.executable, "-c", ORPHANS, str(tmp_path / "tiny.toml"), str(tmp_path / "out")]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False)
    workers = done.stdout.split()
    assert (done.returncode, len(workers)) == (-signal.SIGKILL, 2)
    patience = time.monotonic() + 30
    while any(is_running(worker) for worker in workers):
        assert time.monotonic() < patience
        time.sleep(0.02)


def is_running(pid: str) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
