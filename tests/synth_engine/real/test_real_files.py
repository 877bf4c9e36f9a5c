"""Finding the files of a path that hold real images, and reading them up to a limit."""

from __future__ import annotations

from pathlib import Path

import pytest

from synth_engine.errors import RealImagesError
from synth_engine.real.files import list_files, read_limited, without_ending


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
