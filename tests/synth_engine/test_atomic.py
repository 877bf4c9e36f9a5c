"""Files appear whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from synth_engine.atomic import replacing, staging, write_bytes, write_with


def test_a_file_is_replaced_as_a_whole(tmp_path: Path) -> None:
    path = tmp_path / "new folder" / "a.bin"
    write_bytes(path, b"old")
    write_bytes(path, b"new")
    assert path.read_bytes() == b"new"
    assert list(path.parent.iterdir()) == [path]


def fail_midway(temporary: Path) -> None:
    assert temporary.suffix == ".png"
    temporary.write_bytes(b"half")
    raise ZeroDivisionError


def test_a_failure_keeps_the_former_file_and_leaves_no_other(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(b"old")
    with pytest.raises(ZeroDivisionError), replacing(path) as temporary:
        fail_midway(temporary)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_librarys_own_writer_fills_the_file(tmp_path: Path) -> None:
    write_with(tmp_path / "a.txt", lambda temporary: temporary.write_text("text"))
    assert (tmp_path / "a.txt").read_text() == "text"


def test_staging_clears_what_a_killed_process_left(tmp_path: Path) -> None:
    with staging(tmp_path / "data") as parts:
        left = parts / "half"
        left.write_bytes(b"")
        with staging(tmp_path / "data") as again:
            assert again == parts
            assert not left.exists()
    assert list(tmp_path.iterdir()) == []
