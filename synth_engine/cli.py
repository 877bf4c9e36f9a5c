"""`python -m synth_engine`: sample, export and target; and how every command of the project reports a failure."""

from __future__ import annotations

import errno
import sys
from pathlib import Path

import click

from synth_engine.errors import SynthError
from synth_engine.recipe import Recipe
from synth_engine.synthesizer import Synthesizer


def main_guard(command: click.Command, arguments: list[str] | None = None) -> None:
    """Run a command line and exit: 0 well, 1 after ``error: …`` for an expected failure, 2 usage, 130 on Ctrl-C."""
    try:
        command.main(args=arguments, standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except SynthError as error:
        _fail(str(error))
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EACCES, errno.EROFS, errno.EDQUOT):
            raise
        _fail(f"{error.filename or 'a file'} cannot be written: {error.strerror}; what was written before is whole")
    except (KeyboardInterrupt, click.Abort):
        click.echo("interrupted", err=True)
        sys.exit(130)


def _fail(message: str) -> None:
    click.echo(f"error: {message}", err=True)
    sys.exit(1)


recipe_option = click.option(
    "--recipe", default="hackmit", show_default=True, metavar="NAME|TOML", help="Built-in recipe or a TOML file."
)
seed_option = click.option("--seed", default=0, show_default=True, help="Seed of every random draw.")


@click.group()
def cli() -> None:
    """Labelled synthetic images of short text, and the real images they imitate."""


@cli.command(epilog="Example: python -m synth_engine sample --recipe hackmit --out sheet.png")
@recipe_option
@seed_option
@click.option("--count", default=64, show_default=True, type=click.IntRange(1, 10_000), help="Images on the sheet.")
@click.option("--start", default=0, show_default=True, type=click.IntRange(0), help="Index of the first sample.")
@click.option(
    "--out", default="sheet.png", show_default=True, type=click.Path(dir_okay=False), help="Picture to write."
)
def sample(recipe: str, seed: int, count: int, start: int, out: str) -> None:
    """Draw a contact sheet of samples with their labels."""
    from synth_engine.sheet import draw_labelled, save_picture

    batch = Synthesizer(Recipe.resolve(recipe), seed).batch(start, count)
    save_picture(draw_labelled(batch.images, batch.texts()), out)
    click.echo(f"{out}: {count} samples, {100 * count / batch.candidates:.1f}% of the candidates passed the filter")


@cli.command(epilog="Example: python -m synth_engine export --recipe hackmit --count 1000 --out data")
@recipe_option
@seed_option
@click.option("--count", required=True, type=click.IntRange(1), help="Images to write.")
@click.option("--start", default=0, show_default=True, type=click.IntRange(0), help="Index of the first sample.")
@click.option("--out", required=True, type=click.Path(file_okay=False), help="Folder for the PNG files and labels.csv.")
def export(recipe: str, seed: int, count: int, start: int, out: str) -> None:
    """Write PNG files and labels.csv (name,text); a stopped export goes on where it was."""
    from synth_engine.export import export_png

    export_png(Synthesizer(Recipe.resolve(recipe), seed), out, count=count, start=start)
    click.echo(f"{out}: {count} images and labels.csv")


@cli.command(epilog="Example: python -m synth_engine target challenges --recipe hackmit --out runs/target")
@click.argument("path", type=click.Path())
@recipe_option
@click.option("--out", required=True, type=click.Path(file_okay=False), help="Folder for mask, mean image and sheet.")
def target(path: str, recipe: str, out: str) -> None:
    """Read the real images under PATH; count them, find their shared mask, and draw a sheet."""
    from synth_engine.target import write_report

    write_report(Path(path), Recipe.resolve(recipe), Path(out))
