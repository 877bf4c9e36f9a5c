"""A user's own stages: found by name, given the right arrays, and blamed for what they raise."""

from __future__ import annotations

import pickle
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from synth_engine.errors import RecipeError, StageError
from synth_engine.picture.stages.user_stages import own_stage, resolve
from synth_engine.picture.stages.workspace import warp_scratch
from synth_engine.recipe import Own, OwnMark

EXAMPLES = Path(__file__).parents[3] / "examples"

PLAIN = """
level = 3

def brighten(image, values, key, out):
    out[:] = image + values[0]

def keys_of(values, key, cover):
    cover[0, 0] = key & 255

def mirror(ink, values, key, out):
    out[:, ::-1] = ink

def sparse(ink, values, key, out):
    out[0, 0] = key >> 56

def fail(image, values, key, out):
    if image[0, 0, 0] == 9:
        raise ZeroDivisionError("nothing to divide by")
"""


@pytest.fixture
def plain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "plain_stages.py").write_text(PLAIN)
    (tmp_path / "broken_stages.py").write_text("raise ValueError('half written')\n")
    monkeypatch.syspath_prepend(tmp_path)


@pytest.fixture
def stages(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The module of the example."""
    monkeypatch.syspath_prepend(EXAMPLES)
    import stages  # type: ignore[import-not-found]

    return stages


def paint(
    part: Own, images: np.ndarray, params: np.ndarray, on: np.ndarray | None = None, start: int = 0
) -> np.ndarray:
    """``images``, samples ``start`` …, after the camera stage; keys are 0, 1, …"""
    out, count = images.copy(), len(images)
    on = np.ones(count, bool) if on is None else on
    own_stage(part, "camera").apply(start, on, params, np.arange(count, dtype=np.uint64), out, np.empty(0))
    return out


@pytest.mark.usefixtures("plain")
def test_a_camera_stage_is_given_its_own_values_and_changes_its_images_only() -> None:
    images = np.arange(3 * 4 * 5, dtype=np.uint8).reshape(3, 4, 5, 1)
    part = Own(function="plain_stages:brighten", values={"by": (1.0, 9.0)})
    assert own_stage(part, "camera").columns(part, (4, 5)) == [(1.0, 9.0)]
    out = paint(part, images, np.array([[7.0, -1], [7.0, -1], [2.0, -1]]), np.array([True, False, True]))
    assert np.array_equal(out, images + np.array([7, 0, 2], np.uint8)[:, None, None, None])


@pytest.mark.usefixtures("plain")
def test_clutter_is_given_each_images_key() -> None:
    cover = np.zeros((3, 4, 5), np.uint8)
    stage = own_stage(OwnMark(function="plain_stages:keys_of"), "clutter")
    stage.apply(0, np.array([True, True, False]), np.empty((3, 0)), np.array([258, 5, 7], np.uint64), cover)
    assert list(cover[:, 0, 0]) == [2, 5, 0]
    assert cover.sum() == 7


def warp(part: Own, ink: np.ndarray, extent: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    ink, extent, (count, length, side) = ink.copy(), extent.copy(), ink.shape[:3]
    keys, origin = np.arange(count, dtype=np.uint64), np.zeros((count, length, 2), np.int32)
    own_stage(part, "warp").apply(
        0, np.ones(count, bool), np.empty((count, 0)), keys, np.full(count, length), ink, origin, extent,
        warp_scratch(side), 9, 9,
    )  # fmt: skip
    return ink, extent, origin


@pytest.mark.usefixtures("plain")
def test_a_warp_is_given_ink_in_the_middle_and_its_extent_follows() -> None:
    ink, extent = np.zeros((1, 3, 6, 6), np.uint8), np.zeros((1, 3, 4), np.int32)
    ink[0, 0, 2:4, 0:3], ink[0, 1, 5, 5] = [[1, 2, 3], [4, 5, 6]], 9
    extent[0, 0], extent[0, 1] = (0, 2, 3, 4), (5, 5, 6, 6)
    mirrored, moved, origin = warp(Own(function="plain_stages:mirror"), ink, extent)
    assert mirrored[0, 0, 2:4, 2:5].tolist() == [[3, 2, 1], [6, 5, 4]]
    assert moved[0].tolist() == [[2, 2, 5, 4], [3, 2, 4, 3], [0, 0, 0, 0]]
    assert origin[0].tolist() == [[-1, 0], [3, 3], [0, 0]]


@pytest.mark.usefixtures("plain")
def test_a_warps_output_holds_zeros_and_its_key_is_the_characters() -> None:
    ink, extent = np.full((2, 2, 6, 6), 8, np.uint8), np.tile(np.array([0, 0, 6, 6], np.int32), (2, 2, 1))
    warped, moved, _ = warp(Own(function="plain_stages:sparse"), ink, extent)
    assert not warped.reshape(4, 36)[:, 1:].any()
    assert len(set(warped[:, :, 0, 0].ravel())) == 4
    assert (moved == (0, 0, 1, 1)).all()


@pytest.mark.parametrize(
    ("function", "message"),
    [
        ("no_such_module:f", r"importing no_such_module failed with ModuleNotFoundError: No module named"),
        ("broken_stages:f", r"ValueError: half written; put the module's folder on Python's path"),
        ("plain_stages:brihten", r"plain_stages has no brihten; did you mean brighten\?"),
        ("plain_stages:level", r"expected a function, received int"),
    ],
)
@pytest.mark.usefixtures("plain")
def test_a_name_that_leads_to_no_function_is_refused(function: str, message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        resolve(function)


@pytest.mark.usefixtures("plain")
def test_an_error_names_the_function_and_the_sample() -> None:
    images = np.zeros((3, 2, 2, 1), np.uint8)
    images[2] = 9
    part = Own(function="plain_stages:fail")
    expected = r"plain_stages:fail failed at sample 1002 with ZeroDivisionError: nothing"
    with pytest.raises(StageError, match=expected) as caught:
        paint(part, images, np.empty((3, 0)), start=1000)
    assert isinstance(caught.value.__cause__, ZeroDivisionError)
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


@pytest.mark.usefixtures("stages")
def test_the_examples_scanlines_darken_rows() -> None:
    images = np.full((2, 8, 10, 3), 200, np.uint8)
    part = Own(function="stages:scanlines", values={"depth": 0.5, "pitch_px": 4.0})
    out = paint(part, images, np.tile([0.5, 4.0], (2, 1)))
    assert (out == out[:, :, :1, :1]).all()
    assert np.array_equal(out[:, :4], out[:, 4:])
    assert 100 <= out.min() < 120 < 180 < out.max() <= 200


@pytest.mark.usefixtures("stages")
def test_the_examples_screws_lie_in_the_corners() -> None:
    cover, keys = np.zeros((2, 40, 60), np.uint8), np.arange(2, dtype=np.uint64)
    part = OwnMark(function="stages:screws", values={"radius_px": 3.0})
    own_stage(part, "clutter").apply(0, np.ones(2, bool), np.array([[3.0]] * 2), keys, cover)
    assert np.allclose(cover.sum(axis=(1, 2)) / 255, 4 * np.pi * 9, rtol=0.1)
    assert not cover[:, 12:28].any()
    assert not np.array_equal(cover[0], cover[1])
