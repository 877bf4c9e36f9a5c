"""Finding files, and the small pictures and challenge files that the tests of `synth_engine.real` share."""

from __future__ import annotations

import base64
import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from synth_engine.errors import RealImagesError
from synth_engine.real.files import list_files, read_limited, without_ending


def picture(form: str = "PNG", *, size: tuple[int, int] = (40, 24), value: int = 255) -> bytes:
    """A compressed picture of one grey value, (width, height) px."""
    buffer = io.BytesIO()
    Image.new("L", size, value).save(buffer, form)
    return buffer.getvalue()


def speckled(seed: int) -> bytes:
    """A JPEG of 40x24 px of random black and white, so that cutting it short is noticed."""
    buffer = io.BytesIO()
    pixels = np.random.default_rng(seed).integers(0, 2, (24, 40), dtype=np.uint8) * 255
    Image.fromarray(pixels.astype(np.uint8)).save(buffer, "JPEG")
    return buffer.getvalue()


def challenge(**images: bytes | str) -> bytes:
    """A challenge file; a str is put in as base64 unchanged."""
    encoded = {name: c if isinstance(c, str) else base64.b64encode(c).decode() for name, c in images.items()}
    return json.dumps({"images": [{"name": name, "jpg_base64": c} for name, c in encoded.items()]}).encode()


def test_a_folders_files_come_in_natural_order(tmp_path: Path) -> None:
    for name in ("challenge-10", "challenge-2", "b.PNG", "a.json"):
        (tmp_path / name).touch()
    assert [file.name for file in list_files(tmp_path)] == ["a.json", "b.PNG", "challenge-2", "challenge-10"]


def test_lists_hidden_files_and_folders_are_passed_over(tmp_path: Path) -> None:
    for name in ("labels.csv", "notes.TXT", ".DS_Store", "x.png"):
        (tmp_path / name).touch()
    (tmp_path / "inner").mkdir()
    assert [file.name for file in list_files(tmp_path)] == ["x.png"]


def test_a_missing_path_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RealImagesError, match="nowhere does not exist: check the path"):
        list_files(tmp_path / "nowhere")


def test_an_empty_folder_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "labels.csv").touch()
    with pytest.raises(RealImagesError, match=r"found none .*give the folder that holds them"):
        list_files(tmp_path)


def test_a_file_past_its_limit_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"12345")
    assert read_limited(tmp_path / "x", 5) == b"12345"
    with pytest.raises(RealImagesError, match="at most 4 bytes, received 5"):
        read_limited(tmp_path / "x", 4)


@pytest.mark.parametrize(("name", "stem"), [("a.jpg", "a"), ("a.b.PNG", "a.b"), ("a.b", "a.b"), (".png", ".png")])
def test_only_an_images_ending_is_cut_off(name: str, stem: str) -> None:
    assert without_ending(name) == stem
