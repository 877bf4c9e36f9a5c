"""Five recipes in the styles of five other generators, each rendered onto a contact sheet.

    python examples/peer_styles.py --out styles        # writes styles/captcha.png, styles/wheezy.png, …

The recipes are the TOML files beside this script, in `styles`: places to start your own recipe from.
"""

from __future__ import annotations

from pathlib import Path

import click

from synth_engine import Recipe, Synthesizer
from synth_engine.contact_sheet import labelled_sheet, save_picture

STYLES = sorted((Path(__file__).parent / "styles").glob("*.toml"))


@click.command()
@click.option("--out", default="styles", show_default=True, type=click.Path(file_okay=False, path_type=Path))
@click.option("--count", default=32, show_default=True, type=click.IntRange(1), help="Images on each sheet.")
@click.option("--seed", default=0, show_default=True, type=click.IntRange(0), help="Seed of the samples.")
def main(out: Path, count: int, seed: int) -> None:
    """Write one contact sheet for each style."""
    out.mkdir(parents=True, exist_ok=True)
    for path in STYLES:
        batch = Synthesizer(Recipe.load(path), seed).batch(0, count)
        save_picture(labelled_sheet(batch.images, batch.texts(), columns=4), out / f"{path.stem}.png")
        click.echo(f"{path.stem}: {count} images of {batch.candidates} candidates")


if __name__ == "__main__":
    main()
