"""How a test or benchmark session ends; fixtures are in tests/conftest.py."""

from __future__ import annotations

import os
import sys

import pytest

EXIT_STATUS = pytest.StashKey[int]()


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    session.config.stash[EXIT_STATUS] = int(exitstatus)


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """Leave without finalising Python where TensorFlow is loaded.

    A failed or broken-off test may leave a `tf.data` iterator over a Python generator; finalised after the
    interpreter, it can wait for ever. The streams themselves see to that at exit; a gate must not hang
    on what a test left behind.
    """
    if "tensorflow" in sys.modules and EXIT_STATUS in config.stash:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(config.stash[EXIT_STATUS])
