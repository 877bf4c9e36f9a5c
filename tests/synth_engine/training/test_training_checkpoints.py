"""Checkpoints of any training: the newest that can be read, and a full disk that says so."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from synth_engine.errors import RunError

tf = pytest.importorskip("tensorflow")

from synth_engine.training.checkpoints import Checkpoints, all_finite  # noqa: E402


def made(folder: Path) -> Checkpoints:
    """Checkpoints of a step and a weight that equals it."""
    step, weight = tf.Variable(0), tf.Variable([0.0] * 100)
    return Checkpoints(folder, {"step": step, "weight": weight}, step=step, weights=[weight])


def save(checkpoints: Checkpoints, step: int) -> Path:
    checkpoints.state.step.assign(step)
    checkpoints.state.weight.assign([float(step)] * 100)
    return Path(checkpoints.save())


@pytest.mark.parametrize("ending", [".data-00000-of-00001", ".index"])
@pytest.mark.parametrize("kept", [0, 20])
def test_a_damaged_newest_one_is_passed_over_and_named(
    tmp_path: Path, ending: str, kept: int, caplog: pytest.LogCaptureFixture
) -> None:
    checkpoints = made(tmp_path)
    first, newest = save(checkpoints, 3), save(checkpoints, 5)
    damaged = newest.with_name(newest.name + ending)
    damaged.write_bytes(damaged.read_bytes()[:kept])
    again = made(tmp_path)
    assert again.restore() == str(first)
    assert (again.step, float(again.state.weight[0])) == (3, 3.0)
    assert f"passed over a damaged checkpoint, {newest} (" in caplog.text


def test_without_the_list_of_checkpoints_they_are_still_found(tmp_path: Path) -> None:
    checkpoints = made(tmp_path)
    save(checkpoints, 9)
    newest = save(checkpoints, 10)
    (tmp_path / "checkpoint").unlink()
    assert made(tmp_path).restore() == str(newest)


def test_if_none_can_be_read_the_run_does_not_start_over(tmp_path: Path) -> None:
    saved = save(made(tmp_path), 1)
    saved.with_name(saved.name + ".index").write_bytes(b"")
    with pytest.raises(RunError, match=r"no checkpoint can be read.*start a new run"):
        made(tmp_path).restore()


def test_without_any_nothing_is_restored(tmp_path: Path) -> None:
    assert made(tmp_path / "new").restore() is None


def test_a_full_disk_names_the_last_good_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fill(**_: object) -> None:
        (tmp_path / "ckpt-2_temp").mkdir()
        raise tf.errors.ResourceExhaustedError(None, None, "ckpt-2_temp; No space left on device")

    checkpoints = made(tmp_path)
    save(checkpoints, 1)
    monkeypatch.setattr(checkpoints.manager, "save", fill)
    with pytest.raises(
        RunError, match=r"could not be written: No space left on device; free some space.*ckpt-1: go on"
    ):
        save(checkpoints, 2)
    assert not list(tmp_path.glob("*_temp"))


def test_weights_that_are_not_finite_are_not_saved(tmp_path: Path) -> None:
    checkpoints = made(tmp_path)
    checkpoints.state.weight.assign([np.nan] * 100)
    with pytest.raises(RunError, match=r"no longer finite at step 0; there is no checkpoint yet"):
        checkpoints.save()
    assert all_finite([tf.constant([1, 2]), tf.constant([0.0])])
