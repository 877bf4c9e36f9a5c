"""The set-up script: what it refuses, and that Ctrl-C leaves the training it started the time to save."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
SLOW_TO_STOP = """
import pathlib, signal, sys, time
def save(*_):
    time.sleep(1.0)
    pathlib.Path(sys.argv[1]).write_text("saved")
    sys.exit(130)
signal.signal(signal.SIGINT, save)
pathlib.Path(sys.argv[2]).touch()
time.sleep(60)
"""


def test_interrupt_waits_for_the_child_to_save(tmp_path: Path) -> None:
    saved, started = tmp_path / "saved", tmp_path / "started"
    code = (
        "import pathlib, sys, bootstrap; bootstrap.PYTHON = pathlib.Path(sys.executable); "
        f"bootstrap.run(['-c', {SLOW_TO_STOP!r}, {str(saved)!r}, {str(started)!r}])"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, start_new_session=True)
    while not started.exists():
        time.sleep(0.05)
    os.killpg(parent.pid, signal.SIGINT)
    assert parent.wait(timeout=30) == 130
    assert saved.read_text() == "saved"


def test_without_a_task_it_says_how_to_use_it() -> None:
    done = subprocess.run([sys.executable, "bootstrap.py"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "python3 bootstrap.py test" in done.stderr
