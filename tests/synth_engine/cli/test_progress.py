"""Progress: lines where there is no terminal, with rate and time left."""

from __future__ import annotations

import re

import pytest

from synth_engine.cli import progress
from synth_engine.cli.progress import progress_bar, status_line


def test_lines_tell_count_rate_and_time_left(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(progress, "INTERVAL_S", 0.0)
    with progress_bar("reading", "images", start=10) as bar:
        bar(1_010, 5_010)
        bar(2_000)
    shown = capsys.readouterr()
    known, unknown = shown.err.splitlines()
    assert re.fullmatch(r"reading: 1,010 of 5,010 images, [\d,.]+/s, \d\d:\d\d left", known)
    assert re.fullmatch(r"reading: 2,000 images, [\d,.]+/s", unknown)
    assert shown.out == ""


def test_short_work_prints_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with progress_bar("reading", "images") as bar:
        bar(1, 1)
    assert capsys.readouterr().err == ""


def test_a_status_is_a_line_each_time(capsys: pytest.CaptureFixture[str]) -> None:
    with status_line() as show:
        show("one")
        show("two")
    assert capsys.readouterr().err == "one\ntwo\n"
