"""The engine inside your own loop: samples written into arrays that you own, nothing allocated per image.

    python examples/numpy_loop.py --recipe hackmit --batches 20

Shows `Synthesizer.fill`, texts, boxes, and that sample i is the same image however it is asked for.
"""

from __future__ import annotations

import time

import click
import numpy as np

from synth_engine import Recipe, Synthesizer


@click.command()
@click.option("--recipe", default="hackmit", show_default=True, help="Built-in recipe or a TOML file.")
@click.option("--batches", default=20, show_default=True, type=click.IntRange(1), help="Batches to make.")
@click.option("--batch-size", default=512, show_default=True, type=click.IntRange(1), help="Images a batch.")
def main(recipe: str, batches: int, batch_size: int) -> None:
    synth = Synthesizer(Recipe.resolve(recipe), seed=7)
    length = synth.recipe.length_max
    images = np.empty((batch_size, *synth.recipe.image_shape), np.uint8)
    labels = np.empty((batch_size, length), np.uint8)
    boxes = np.empty((batch_size, length, 4), np.int16)

    synth.fill(images, labels, 0, boxes=boxes)  # loads the kernels; compiles them the very first time
    began = time.perf_counter()
    for index in range(batches):
        synth.fill(images, labels, index * batch_size, boxes=boxes)  # what you do with the arrays comes after this
    taken = time.perf_counter() - began
    click.echo(f"{batches * batch_size} images, {batches * batch_size / taken:,.0f} a second")

    last = batches * batch_size - 1
    again = synth.batch(last, 1)  # any sample by its index: the same bytes
    assert np.array_equal(again.images[0], images[-1])
    click.echo(f"sample {last} reads {again.texts()[0]!r}")
    for character, (x0, y0, x1, y1) in zip(again.texts()[0], boxes[-1].tolist(), strict=False):
        click.echo(f"  {character}: x {x0} to {x1}, y {y0} to {y1} px")


if __name__ == "__main__":
    main()
