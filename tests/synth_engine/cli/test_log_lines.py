"""Log records as lines of a command."""

from __future__ import annotations

import logging

import pytest

from synth_engine.cli.log_lines import LineHandler, show_log_lines


def test_notes_go_to_stdout_and_warnings_to_stderr_once_each(capsys: pytest.CaptureFixture[str]) -> None:
    for _ in range(2):
        show_log_lines()
    assert sum(isinstance(handler, LineHandler) for handler in logging.getLogger().handlers) == 1
    log = logging.getLogger("classifier.learning")
    log.info("step %d", 3)
    log.warning("passed over")
    log.debug("not shown")
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("step 3\n", "warning: passed over\n")


def test_of_other_packages_only_warnings_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    show_log_lines()
    log = logging.getLogger("somebody")
    log.setLevel(logging.INFO)
    log.info("chatter")
    log.error("no space")
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "error: no space\n")
