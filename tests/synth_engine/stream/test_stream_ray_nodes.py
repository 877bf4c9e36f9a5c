"""Ray streams on a cluster of several nodes, each a raylet of its own on this machine: nodes that go and come."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

import synth_engine
from synth_engine import Recipe, Synthesizer
from tests.synth_engine.stream.ray_nodes import BATCH_SIZE
from tests.synth_engine.stream.ray_tools import descendants, eventually, running

PACKAGE = Path(synth_engine.__file__).parent


@pytest.fixture(scope="module")
def story(tiny: Recipe, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the steps of ray_nodes.py printed, by step; under "log" what was logged."""
    folder = tmp_path_factory.mktemp("nodes")
    tiny.save(folder / "tiny.toml")
    copied = shutil.copytree(PACKAGE, folder / "other" / "synth_engine", ignore=shutil.ignore_patterns("__pycache__"))
    changed = copied / "njit" / "bits.py"
    changed.write_text(changed.read_text() + "\n# changed\n")
    environment = os.environ | {"PYTHONPATH": str(PACKAGE.parent)}
    environment["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"
    command = [sys.executable, str(Path(__file__).parent / "ray_nodes.py"), str(folder / "tiny.toml")]
    done = subprocess.run(
        [*command, str(folder / "other")], cwd=folder, env=environment, capture_output=True, text=True, timeout=280
    )
    assert done.returncode == 0, done.stderr[-3000:]
    steps = [json.loads(line) for line in done.stdout.splitlines() if line.startswith('{"step"')]
    return {"log": done.stderr, **{step["step"]: step for step in steps}}


def digest_of(recipe: Recipe, first: int, batches: int) -> str:
    synth, total = Synthesizer(recipe, 7), sha256()
    for index in range(first, first + batches):
        batch = synth.batch(index * BATCH_SIZE, BATCH_SIZE)
        total.update(batch.images.tobytes() + batch.labels.tobytes() + batch.boxes.tobytes())
    return total.hexdigest()


def test_a_removed_node_changes_no_byte(story: dict[str, Any], tiny: Recipe) -> None:
    assert len(story["begun"]["nodes"]) == 2
    assert story["begun"]["digest"] == digest_of(tiny, 0, 10)
    assert story["removed"]["digest"] == digest_of(tiny, 10, story["removed"]["batches"])
    assert story["removed"]["remade"] >= 1
    assert "are rendered again" in story["log"]


def test_an_added_node_changes_no_byte(story: dict[str, Any], tiny: Recipe) -> None:
    assert story["added"]["digest"] == digest_of(tiny, story["added"]["first"], story["added"]["batches"])


def test_an_added_node_is_used(story: dict[str, Any]) -> None:
    assert story["added"]["added"] in story["added"]["nodes"]


def test_a_joined_cluster_is_disconnected_from(story: dict[str, Any]) -> None:
    assert story["closed"]["connected"] is False


def test_a_store_too_small_is_named(story: dict[str, Any]) -> None:
    assert "expected to fit" in story["too large"]["error"]
    assert "received 20 MiB; make `batch_size` smaller" in story["too large"]["error"]


def test_a_node_with_another_version_is_refused(story: dict[str, Any]) -> None:
    assert "expected to have the driver's its sources" in story["versions"]["error"]
    assert "install the same versions on every node" in story["versions"]["error"]


def test_nothing_of_it_runs_on(story: dict[str, Any]) -> None:
    assert story
    assert eventually(lambda: not [pid for pid in running(descendants(os.getpid())) if "ray_nodes" in command(pid)])


def command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return ""
