"""How a command ends: its exit status, and what it prints about a failure."""

from __future__ import annotations

import sys

import click

from synth_engine.cli.log_lines import show_log_lines
from synth_engine.errors import SynthError


def main_guard(command: click.Command, arguments: list[str] | None = None) -> None:
    """Run a command line and exit: 0 on success, 1 after an expected failure, 2 on wrong usage, 130 on Ctrl-C."""
    show_log_lines()
    try:
        command.main(args=arguments, standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except SynthError as error:
        _fail(str(error))
    except OSError as error:
        if not error.strerror:
            raise
        _fail(f"{error.filename or 'a file'}: {error.strerror}; what was written before is whole")
    except (KeyboardInterrupt, click.Abort) as error:
        said = str(error.__cause__ or error)  # click turns the one into the other
        click.echo(f"{said}\ninterrupted" if said else "interrupted", err=True)
        sys.exit(130)


def _fail(message: str) -> None:
    click.echo(f"error: {message}", err=True)
    sys.exit(1)
