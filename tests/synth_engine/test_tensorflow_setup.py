"""What reaches a user's terminal: nothing that TensorFlow says about itself, and every genuine warning."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from synth_engine import Recipe
from synth_engine.tensorflow_setup import NATIVE_LOG

pytest.importorskip("tensorflow")

ROOT = Path(__file__).parents[2]
HIDDEN = ("TF_CPP_MIN_LOG_LEVEL", "CUDA_VISIBLE_DEVICES")
ENVIRON = {name: value for name, value in os.environ.items() if name not in HIDDEN}
FRAMEWORK = re.compile(r"^[IWEF]\d{4}|warning|tensorflow|keras|onednn|remapper|grappler|xla|cuda|absl", re.IGNORECASE)
LINES = {
    b"I0000 00:00:1796133318.925745   22823 port.cc:153] oneDNN custom operations are on.\n": True,
    b"E0000 00:00:1796134668.190307   21371 meta_optimizer.cc:967] remapper failed: INVALID_ARGUMENT\n": True,
    b"2026-12-01 13:55:18.925745: I tensorflow/core/platform/cpu_feature_guard.cc:210] This binary\n": True,
    b"WARNING: All log messages before absl::InitializeLog() is called are written to STDERR\n": True,
    b"UserWarning: the GPU is too old\n": False,
    b"F0000 00:00:1796134668.190307   21371 tensor.cc:12] Check failed\n": False,
}


def stderr_of(*command: str) -> str:
    """What a command that ends well writes to stderr, with TensorFlow's log level as users have it."""
    done = subprocess.run(
        [sys.executable, *command], cwd=ROOT, env=ENVIRON, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stderr


@pytest.mark.parametrize("line", LINES)
def test_native_log_lines_are_known_by_their_start(line: bytes) -> None:
    assert bool(NATIVE_LOG.match(line)) == LINES[line]


def test_commands_write_nothing_of_the_framework_s(tiny: Recipe, tmp_path: Path) -> None:
    tiny.save(tmp_path / "tiny.toml")
    images, model = str(tmp_path / "images"), str(tmp_path / "reader" / "classifier.keras")
    places, sizes = ("--recipe", str(tmp_path / "tiny.toml")), ("--steps", "1", "--batch-size", "4")
    stderr_of("-m", "synth_engine", "export", *places, "--count", "60", "--format", "png", "--out", images)
    pictures = str(next(Path(images).rglob("*.png")).parent)
    adapt = ("--width", "4", "--depth", "2", "--adapt-steps", "12", "--augment", "narrow", "--real", pictures)
    assess = ("--report-steps", "1", "--assess-steps", "1", "--real", pictures)
    for command in (
        ("classifier.train", *places, *sizes, *adapt, "--run", str(tmp_path / "reader")),
        ("classifier.predict", "--model", model, pictures, "--out", str(tmp_path / "read.csv")),
        ("gan.train", *places, *sizes, *assess, "--run", str(tmp_path / "refiner")),
    ):
        said = stderr_of("-m", *command)
        assert not [line for line in said.splitlines() if FRAMEWORK.search(line)], command[0]


def test_a_genuine_warning_comes_through_while_tensorflow_loads_and_later() -> None:
    code = (
        "import sys, types, warnings\n"
        "from synth_engine import tensorflow_setup as setup\n"
        "load = setup._import_tensorflow\n"
        "def loading():\n"
        "    warnings.warn('said while it loads'); return load()\n"
        "setup._import_tensorflow = loading\n"
        "tf = setup.prepare_tensorflow(None)\n"
        "tf.get_logger().warning('said later')\n"
        "tf.get_logger().warning('5 calls triggered tf.function retracing')"
    )
    said = stderr_of("-c", code)
    assert "UserWarning: said while it loads" in said
    assert "said later" in said
    assert "oneDNN" not in said
    assert "retracing" not in said


def test_what_native_code_said_comes_out_when_loading_fails() -> None:
    code = (
        "import os\n"
        "from synth_engine import tensorflow_setup as setup\n"
        "def loading():\n"
        "    os.write(2, b'E0000 00:00:17 1 dso_loader.cc:1] library is missing\\n'); raise SystemExit(0)\n"
        "setup._import_tensorflow = loading\n"
        "setup.prepare_tensorflow(None)"
    )
    assert "library is missing" in stderr_of("-c", code)


def test_a_gpu_that_cannot_be_used_is_told_of() -> None:
    code = (
        "import pathlib, sys\n"
        "from synth_engine import tensorflow_setup as setup\n"
        "setup.NVIDIA_DEVICE = pathlib.Path(sys.executable)\n"
        "setup._warn_of_unused_gpu(0); setup._warn_of_unused_gpu(1)"
    )
    assert stderr_of("-c", code).count("cannot use") == 1
