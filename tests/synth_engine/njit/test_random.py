"""The generator's functions are for Python too: users' own stages call them, compiled or not."""

from __future__ import annotations

import subprocess
import sys

from tests.naive import fast as naive

CALLS = """
import numpy as np
from synth_engine.njit.random import below, mix, sample_key, word
key = sample_key(np.uint64(7), np.uint64(11))
print(mix(np.uint64(5)), key, word(key, 64), below(np.uint64(2**31), 36))
"""


def test_python_may_call_what_kernels_call() -> None:
    """In a process of its own: a kernel without a wrapper would end this one."""
    done = subprocess.run([sys.executable, "-c", CALLS], capture_output=True, text=True, check=True)
    key = naive.sample_key(7, 11)
    assert [int(value) for value in done.stdout.split()] == [naive.mix(5), key, naive.word(key, 64), 18]
