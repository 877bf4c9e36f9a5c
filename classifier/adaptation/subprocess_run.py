"""Runs another program to its end as a child of this process, passes Ctrl-C on to it, and does not leave it behind.

If this process is killed (SIGKILL), the child goes on. It holds the lock on its log as long as it lives, so that no
second child starts beside it.
"""

from __future__ import annotations

import signal
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Protocol

from synth_engine.errors import RunError

POLL_S = 0.2  # how soon a signal is passed on
END_TIMEOUT_S = 10.0  # from SIGTERM to SIGKILL
ENDING = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name))


class Interrupt(Protocol):
    """Tells whether Ctrl-C was pressed, as `StopOnInterrupt` does."""

    requested: bool


def run_to_end(command: Sequence[str], log: Path, interrupt: Interrupt) -> int:
    """Run ``command``, append its output to ``log``, and return its exit status.

    Once ``interrupt`` is requested, the child gets one SIGINT and time to save. It runs in a session of its own, as a
    terminal would send it a second SIGINT, which acts at once. An exception here ends the child too; SIGTERM and SIGHUP
    of this process become SystemExit. Raises RunError while a child of an earlier process still writes to ``log``.
    """
    with log.open("ab") as file, _ending_signals() as received:
        _claim(file, log)
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=file, stderr=file, start_new_session=True)
        try:
            _wait(child, interrupt, received)
        finally:
            _end(child)
    if received:
        raise SystemExit(128 + received[0])
    return child.returncode


def _wait(child: subprocess.Popen[bytes], interrupt: Interrupt, received: list[int]) -> None:
    """Wait until the child has ended or a signal is received."""
    told = False
    while not received:
        try:
            child.wait(POLL_S)
            return
        except subprocess.TimeoutExpired:
            if interrupt.requested and not told:
                child.send_signal(signal.SIGINT)
                told = True


def _end(child: subprocess.Popen[bytes]) -> None:
    child.terminate()
    try:
        child.wait(END_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


@contextmanager
def _ending_signals() -> Iterator[list[int]]:
    """Collect signals that would end this process but not its child; ignored ones (nohup) stay ignored."""
    received: list[int] = []
    taken = []
    if threading.current_thread() is threading.main_thread():
        taken = [number for number in ENDING if signal.getsignal(number) == signal.SIG_DFL]
    for number in taken:
        signal.signal(number, lambda number, _: received.append(number))
    try:
        yield received
    finally:
        for number in taken:
            signal.signal(number, signal.SIG_DFL)


def _claim(file: BinaryIO, log: Path) -> None:
    """Lock the open log; the child inherits the lock."""
    try:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise RunError(
            f"{log} is still written to by a process of an earlier run; wait until it has ended, then go on with "
            "--resume",
            log,
        ) from error
    except (ImportError, OSError):  # a system or file system without locks
        pass
