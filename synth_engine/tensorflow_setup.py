"""How this process runs TensorFlow: settings that must come before its import, log lines, memory, seeds, devices.

Measured on two AMD cores: oneDNN makes training steps 1.7 times as fast, and keeping freed memory saves 12% of a
training step and more than half of the cost of feeding it.
"""

from __future__ import annotations

import ctypes
import logging
import os
import platform
import re
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

from synth_engine.errors import SynthError

LOG_LEVEL, FATAL_ONLY = "TF_CPP_MIN_LOG_LEVEL", "3"
# "I0000 00:00:1796133318.925745 …", "2026-12-01 13:55:18.925: I tensorflow/…", and what announces or continues them
NATIVE_LOG = re.compile(
    rb"[IWE]\d{4} |\d{4}-\d\d-\d\d [\d:.]+: [IWE] |WARNING: All log messages before absl::InitializeLog|"
    rb"To enable the following instructions|INFO: Created TensorFlow Lite "
)
RETRACING = "triggered tf.function retracing"  # advice for programmers; each round of adaptation traces anew
NVIDIA_DEVICE = Path("/dev/nvidia0")

log = logging.getLogger(__name__)

# glibc's names and numbers (malloc.h); without them every tensor of some megabytes is mapped, faulted in and unmapped
_MALLOC = {
    "M_MMAP_THRESHOLD": (-3, 1 << 30),
    "M_TRIM_THRESHOLD": (-1, 2**31 - 1),
    "M_TOP_PAD": (-2, 64 << 20),
    "M_ARENA_MAX": (-8, 1),
}


def prepare_tensorflow(seed: int | None, threads: int | None = None, *, deterministic: bool = False) -> Any:
    """Import TensorFlow, set up, and return it; call it before anything else imports it. May be called again.

    ``seed`` seeds Python's, NumPy's and TensorFlow's generators (None: leave them); ``threads`` is the number of
    threads of one operation and of operations side by side (None: TensorFlow's choice); ``deterministic`` makes
    equal runs equal to the bit where that costs little: on a CPU (on a GPU it changes nothing). GPUs, where there are
    any, get memory as it is needed.

    TensorFlow's native code logs about itself at every level, from its CPU features to graph rewrites that it gave up.
    None of it is shown unless the user sets TF_CPP_MIN_LOG_LEVEL. What fails raises in Python, and a fatal error is
    still printed. Python's warnings are untouched, but for advice about `RETRACING`. A GPU that TensorFlow cannot use
    is logged as a warning.
    Raises SynthError when TensorFlow is missing, or runs already with another number of threads.
    """
    wanted = LOG_LEVEL in os.environ or "tensorflow" in sys.modules
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
    os.environ.setdefault(LOG_LEVEL, FATAL_ONLY)
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    with nullcontext() if wanted else quiet_stderr():
        tf = _import_tensorflow()
        gpus = _grow_gpu_memory(tf)
    tf.get_logger().addFilter(_is_for_users)
    _warn_of_unused_gpu(gpus)
    tune_malloc()
    if threads is not None:
        _set_threads(tf, threads)
    if seed is not None:
        tf.keras.utils.set_random_seed(seed)
    if deterministic and not tf.config.list_physical_devices("GPU"):
        tf.config.experimental.enable_op_determinism()
    return tf


def tune_malloc() -> bool:
    """Let glibc keep freed memory in place of returning it to the system; False where there is no glibc."""
    if platform.libc_ver()[0] != "glibc":
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return False
    accepted = [mallopt(parameter, value) for parameter, value in _MALLOC.values()]
    return all(accepted)


def _import_tensorflow() -> Any:
    try:
        import tensorflow
    except ImportError as error:
        raise SynthError("TensorFlow expected, none is installed; install the extra `train`") from error
    return tensorflow


@contextmanager
def quiet_stderr() -> Iterator[None]:
    """Hold back stderr while native code ignores its log level, or has none: all of it comes out if the block fails.

    Otherwise what is no line of a native log comes out at the end, such as a warning of Python's.
    """
    with tempfile.TemporaryFile() as held:
        sys.stderr.flush()
        stderr = os.dup(2)
        os.dup2(held.fileno(), 2)
        try:
            yield
        except BaseException:
            _tell(held, stderr, lambda _: True)
            raise
        else:
            _tell(held, stderr, lambda line: not NATIVE_LOG.match(line))
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)


def _is_for_users(record: logging.LogRecord) -> bool:
    return RETRACING not in record.getMessage()


def _tell(held: BinaryIO, stderr: int, wanted: Callable[[bytes], object]) -> None:
    sys.stderr.flush()
    held.seek(0)
    os.write(stderr, b"".join(line for line in held if wanted(line)))


def _grow_gpu_memory(tf: Any) -> int:
    """Let GPUs, whose number is returned, get memory as it is needed."""
    devices = tf.config.list_physical_devices("GPU")
    for device in devices:
        if not tf.config.experimental.get_memory_growth(device):
            _before_start(partial(tf.config.experimental.set_memory_growth, device, True), "memory growth")
    return len(devices)


def _warn_of_unused_gpu(usable: int) -> None:
    hidden = os.environ.get("CUDA_VISIBLE_DEVICES", "0") in ("", "-1")
    if not usable and not hidden and NVIDIA_DEVICE.exists():
        log.warning(
            f"this machine has an NVIDIA GPU that TensorFlow cannot use, so the CPU does the work; {LOG_LEVEL}=0 shows "
            "why, CUDA_VISIBLE_DEVICES=-1 accepts it"
        )


def _set_threads(tf: Any, threads: int) -> None:
    threading = tf.config.threading
    if threads < 1:
        raise SynthError(f"`threads` is {threads}; expected an integer of at least 1", threads)
    if threads == threading.get_intra_op_parallelism_threads() == threading.get_inter_op_parallelism_threads():
        return
    _before_start(lambda: threading.set_intra_op_parallelism_threads(threads), f"{threads} threads")
    _before_start(lambda: threading.set_inter_op_parallelism_threads(threads), f"{threads} threads")


def _before_start(change: Callable[[], object], what: str) -> None:
    try:
        change()
    except RuntimeError as error:
        raise SynthError(f"{what} cannot be set once TensorFlow runs; call prepare_tensorflow first") from error
