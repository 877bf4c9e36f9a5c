"""Real images from folders and challenge files: each damaged thing is named, and the rest is read."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from synth_engine.errors import RealImagesError
from synth_engine.real import decode_grey, iter_grey
from tests.synth_engine.real.image_files import challenge, picture, speckled


def read(path: Path) -> dict[str, str | None]:
    """Names and problems."""
    return {found.name: found.problem for found in iter_grey(path)}


@pytest.mark.parametrize(("form", "ending"), [("PNG", "png"), ("BMP", "bmp"), ("JPEG", "jpeg"), ("WEBP", "webp")])
def test_each_format_gives_its_grey_values(tmp_path: Path, form: str, ending: str) -> None:
    (tmp_path / f"x.{ending}").write_bytes(picture(form, value=200))
    (found,) = iter_grey(tmp_path)
    assert found.name == "x"
    assert found.grey is not None
    assert found.grey.dtype == np.uint8
    assert np.abs(found.grey.astype(int) - np.full((24, 40), 200)).max() <= 2


def test_a_folder_of_challenge_files_is_read_in_natural_order(tmp_path: Path) -> None:
    for k in (10, 2):
        (tmp_path / f"challenge-{k}").write_bytes(challenge(**{f"x{k}": speckled(k), f"y{k}": speckled(k + 1)}))
    assert list(read(tmp_path)) == ["x2", "y2", "x10", "y10"]


@pytest.mark.parametrize("name", ["challenge-0", "batch.json", "one.png", "one"])
def test_one_file_is_read_by_itself(tmp_path: Path, name: str) -> None:
    is_picture = name.startswith("one")
    (tmp_path / name).write_bytes(picture() if is_picture else challenge(one=picture()))
    assert read(tmp_path / name) == {"one": None}


def test_reading_is_lazy(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(picture())
    (tmp_path / "b.png").write_bytes(picture())
    found = iter_grey(tmp_path)
    assert next(found).name == "a"
    (tmp_path / "b.png").write_bytes(b"damaged since")
    assert next(found).problem


def test_a_missing_path_is_an_error_before_the_first_image(tmp_path: Path) -> None:
    with pytest.raises(RealImagesError, match="does not exist"):
        iter_grey(tmp_path / "nowhere")


def test_damaged_files_are_named_and_the_rest_is_read(tmp_path: Path) -> None:
    (tmp_path / "challenge-0").write_bytes(challenge(a=speckled(1), b=speckled(2)[:-200], c="!!!", d=speckled(3)))
    (tmp_path / "challenge-1").write_bytes(challenge(e=speckled(4))[:-20])
    (tmp_path / "f.png").write_bytes(b"no picture")
    (tmp_path / "g").write_bytes(b"nor JSON")
    (tmp_path / "h.gif").write_bytes(b"GIF89a")
    (tmp_path / "z.png").write_bytes(picture())
    problems = read(tmp_path)
    assert [name for name, problem in problems.items() if problem is None] == ["a", "d", "z"]
    for name, text in {
        "b": "truncated",
        "challenge-0[2]": "base64",
        "challenge-1": "damaged or other data",
        "f": "expected a picture in PNG",
        "g": "received neither",
        "h.gif": r"received *.gif",
    }.items():
        assert text in str(problems[name])


def test_a_broken_link_and_a_folder_named_like_a_picture_are_passed_over(tmp_path: Path) -> None:
    (tmp_path / "link.png").symlink_to(tmp_path / "gone.png")
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "z.png").write_bytes(picture())
    assert read(tmp_path) == {"z": None}


def test_a_picture_of_too_many_pixels_is_refused_before_it_is_decoded() -> None:
    with pytest.raises(RealImagesError, match=r"at most 4,000,000 px, received 3000x3000 px"):
        decode_grey(picture(size=(3000, 3000)))


@pytest.mark.parametrize("side_px", [12_000, 60_000])
def test_a_decompression_bomb_is_refused(side_px: int) -> None:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", side_px, side_px, 8, 0, 0, 0, 0))
    bomb = b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    with pytest.raises(RealImagesError, match=r"px|pixels"):
        decode_grey(bomb)


@given(st.integers(0, 600), st.binary(max_size=40))
def test_damage_anywhere_is_a_real_images_error_or_a_picture(at: int, damage: bytes) -> None:
    whole = picture() if at % 2 else speckled(0)
    try:
        grey = decode_grey(whole[:at] + damage + whole[at + len(damage) :])
    except RealImagesError:
        return
    assert grey.dtype == np.uint8


def test_transparent_parts_are_white() -> None:
    buffer = io.BytesIO()
    clear = Image.new("RGBA", (4, 2), (0, 0, 0, 0))
    clear.putpixel((1, 0), (0, 0, 0, 255))
    clear.save(buffer, "PNG")
    assert decode_grey(buffer.getvalue()).tolist() == [[255, 0, 255, 255], [255] * 4]


def test_sixteen_bits_are_scaled_to_eight() -> None:
    buffer = io.BytesIO()
    Image.fromarray(np.array([[0, 255, 256, 65535]], dtype=np.uint16)).save(buffer, "PNG")
    assert decode_grey(buffer.getvalue()).tolist() == [[0, 0, 1, 255]]
