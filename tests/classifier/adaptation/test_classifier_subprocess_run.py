"""A child process: it gets the time to save on Ctrl-C, ends with its parent, and is never started twice."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from classifier.adaptation.subprocess_run import run_to_end
from synth_engine.errors import RunError

ROOT = Path(__file__).parents[3]
SLEEPER = """
import os, sys, time
try:
    print(os.getpid(), flush=True)
    time.sleep(60)
except KeyboardInterrupt:
    time.sleep(1)
    sys.exit("saved")
"""
PARENT = """
import signal, sys, types
from pathlib import Path
from classifier.adaptation.subprocess_run import run_to_end
for number in (signal.SIGTERM, signal.SIGHUP):  # which whoever runs the tests may have had ignored
    signal.signal(number, signal.SIG_DFL)
run_to_end([sys.executable, "-c", sys.argv[1]], Path(sys.argv[2]), types.SimpleNamespace(requested=False))
"""


def wait_for(what: Callable[[], object], seconds: float = 30.0) -> None:
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end
        time.sleep(0.05)


def lives(pid: int) -> bool:
    """Whether a process, which may be nobody's child any more, has not ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def parent_and_child(log: Path) -> tuple[subprocess.Popen[bytes], int]:
    parent = subprocess.Popen([sys.executable, "-c", PARENT, SLEEPER, str(log)], cwd=ROOT)
    wait_for(lambda: log.exists() and log.read_text().endswith("\n"))
    return parent, int(log.read_text())


def test_status_and_words_come_home_from_a_session_that_no_terminal_interrupts(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "import os, sys; print(os.getsid(0) == os.getpid()); sys.exit(3)"]
    assert run_to_end(command, tmp_path / "log", SimpleNamespace(requested=False)) == 3
    assert (tmp_path / "log").read_text() == "True\n"


@pytest.mark.usefixtures("interruptible")
def test_ctrl_c_is_passed_on_once_and_leaves_time_to_save(tmp_path: Path) -> None:
    log, interrupt = tmp_path / "log", SimpleNamespace(requested=False)

    def request() -> None:
        wait_for(lambda: log.exists() and log.read_text())
        interrupt.requested = True

    threading.Thread(target=request).start()
    assert run_to_end([sys.executable, "-c", SLEEPER], log, interrupt) == 1
    assert log.read_text().endswith("\nsaved\n")  # a second SIGINT would have cut the saving short


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="asks /proc which processes live")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_parent_told_to_end_takes_its_child_along(number: signal.Signals, tmp_path: Path) -> None:
    parent, child = parent_and_child(tmp_path / "log")
    parent.send_signal(number)
    assert parent.wait(30) == 128 + number
    assert not lives(child)


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="asks /proc which processes live")
def test_a_child_left_behind_keeps_others_from_its_log(tmp_path: Path) -> None:
    parent, child = parent_and_child(tmp_path / "log")
    parent.kill()
    parent.wait(30)
    command, free = [sys.executable, "-c", ""], SimpleNamespace(requested=False)
    with pytest.raises(RunError, match=r"log is still written to .*wait until it has ended, then .*--resume"):
        run_to_end(command, tmp_path / "log", free)
    os.kill(child, signal.SIGKILL)
    wait_for(lambda: not lives(child))
    assert run_to_end(command, tmp_path / "log", free) == 0
