"""What is logged, as lines of a command: notes of the project's code on stdout, warnings and errors on stderr."""

from __future__ import annotations

import logging

import click
from tqdm import tqdm

PACKAGES = ("synth_engine", "gan", "classifier")


class LineHandler(logging.Handler):
    """Prints a record as one line, above a progress bar if there is one; a warning starts with "warning: ".

    Of other packages it prints warnings and errors alone.
    """

    def emit(self, record: logging.LogRecord) -> None:
        """Print ``record``; raises OSError when the stream is gone, as `click.echo` does."""
        problem = record.levelno >= logging.WARNING
        if not problem and record.name.partition(".")[0] not in PACKAGES:
            return
        line = self.format(record)
        with tqdm.external_write_mode():
            click.echo(f"{record.levelname.lower()}: {line}" if problem else line, err=problem)


def show_log_lines() -> None:
    """Print what is logged from here on; may be called again. Call it before TensorFlow is imported.

    The handler is the root's: TensorFlow and absl add one of their own where the root has none.
    """
    root = logging.getLogger()
    if not any(isinstance(handler, LineHandler) for handler in root.handlers):
        root.addHandler(LineHandler())
    for package in PACKAGES:
        logging.getLogger(package).setLevel(logging.INFO)
