"""Batches made by Ray actors: processes on this machine, or on a cluster that runs already.

    python examples/ray_actors.py --workers 2 --seconds 3
    python examples/ray_actors.py --ray-address HOST:6379 --workers 16

The batches, and their order, are those of the threads that are used without workers; the first one is compared here.
Needs the extra `train`.
"""

from __future__ import annotations

import time

import click
import numpy as np

from synth_engine import Recipe, Synthesizer
from synth_engine.stream import open_stream


@click.command()
@click.option("--recipe", default="hackmit", show_default=True, help="Built-in recipe or a TOML file.")
@click.option("--workers", default=2, show_default=True, type=click.IntRange(1), help="Actors.")
@click.option("--ray-address", metavar="HOST:PORT", help="A running cluster.", show_default="one started here")
@click.option("--seconds", default=3.0, show_default=True, type=click.FloatRange(0), help="How long to take batches.")
@click.option("--batch-size", default=512, show_default=True, type=click.IntRange(1), help="Images a batch.")
def main(recipe: str, workers: int, ray_address: str | None, seconds: float, batch_size: int) -> None:
    source = Recipe.resolve(recipe)
    with open_stream(source, 7, batch_size=batch_size, workers=workers, ray_address=ray_address) as stream:
        first = next(stream)
        assert np.array_equal(first.images, Synthesizer(source, 7).batch(0, batch_size).images)
        batch, ends = first, time.perf_counter() + seconds
        while time.perf_counter() < ends:
            batch = next(stream)  # images, labels, boxes: yours to keep
        stats = stream.stats
    # Leaving the block has ended the actors, and the private Ray if one was started; without `with`: stream.close().
    click.echo(f"{stats.batches} batches, the last one from sample {batch.start} on; {stats.remade} actors replaced")


if __name__ == "__main__":
    main()
