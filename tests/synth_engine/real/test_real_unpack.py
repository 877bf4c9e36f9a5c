"""Unpacking: bytes as they came, inside the folder and nowhere else."""

from __future__ import annotations

from pathlib import Path

import pytest

from synth_engine.errors import RealImagesError
from synth_engine.real import iter_grey, unpack
from tests.synth_engine.real.image_files import challenge, picture, speckled


def test_images_are_written_byte_for_byte(tmp_path: Path) -> None:
    (tmp_path / "challenge-0").write_bytes(challenge(a=speckled(1), **{"b.jpg": picture("PNG")}))
    assert unpack(tmp_path / "challenge-0", tmp_path / "out").written == 2
    assert (tmp_path / "out" / "a.jpg").read_bytes() == speckled(1)
    assert (tmp_path / "out" / "b.png").read_bytes() == picture("PNG")


def test_the_folder_reads_like_the_challenge_files(tmp_path: Path) -> None:
    for k in range(2):
        (tmp_path / f"challenge-{k}").write_bytes(challenge(**{f"n{k}": speckled(k)}))
    unpack(tmp_path, tmp_path / "out")
    assert [f.name for f in iter_grey(tmp_path / "out")] == [f.name for f in iter_grey(tmp_path)]


@pytest.mark.parametrize("name", ["../../x", "../x", "/abs", "a/../../x", "..\\x"])
def test_a_name_never_leads_out_of_the_folder(tmp_path: Path, name: str) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (root / "challenge-0").write_bytes(challenge(**{name: speckled(1), "good": speckled(2)}))
    done = unpack(root / "challenge-0", root / "deep" / "out")
    assert [(done.written, name) for name, _ in done.damaged] == [(1, "challenge-0[0]")]
    written = sorted(str(file.relative_to(tmp_path)) for file in tmp_path.rglob("*") if file.is_file())
    assert written == ["root/challenge-0", "root/deep/out/good.jpg"]


def test_damaged_and_repeated_entries_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "challenge-0").write_bytes(challenge(a=speckled(1), b=b"damaged"))
    (tmp_path / "challenge-1").write_bytes(challenge(a=speckled(2)))
    (tmp_path / "challenge-2").write_bytes(b"{")
    done = unpack(tmp_path, tmp_path / "out")
    assert [name for name, _ in done.damaged] == ["b", "a", "challenge-2"]
    assert (tmp_path / "out" / "a.jpg").read_bytes() == speckled(1)


def test_a_folder_without_challenge_files_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(picture())
    with pytest.raises(RealImagesError, match="expected challenge files"):
        unpack(tmp_path, tmp_path / "out")
