"""`python -m synth_engine`: sample, export, target, stream, download, unpack."""

from __future__ import annotations

import re
from typing import Any

import click

from synth_engine.recipe import Recipe
from synth_engine.synthesizer import Synthesizer

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
    from synth_engine.contact_sheet import draw_labelled, save_picture

    batch = Synthesizer(Recipe.resolve(recipe), seed).batch(start, count)
    save_picture(draw_labelled(batch.images, batch.texts()), out)
    click.echo(f"{out}: {count} samples, {100 * count / batch.candidates:.1f}% of the candidates passed the filter")


def _shards(_context: click.Context, _option: click.Parameter, given: tuple[str, ...]) -> list[int] | None:
    """The shards that ``3`` and half-open ranges such as ``0:8`` name; None where nothing is given."""
    if not given:
        return None
    found = [re.fullmatch(r"(\d+)(?::(\d+))?", text) for text in given]
    if not all(found):
        raise click.BadParameter(f"expected a shard, such as 3, or a range, such as 0:8; received {' '.join(given)}")
    ends = [(int(one[1]), int(one[2] or int(one[1]) + 1)) for one in found if one]
    return [shard for first, stop in ends for shard in range(first, stop)]


@cli.command(
    epilog="Example: python -m synth_engine export --recipe hackmit --count 1000000 --format webdataset --shards 16 "
    "--out data"
)
@recipe_option
@seed_option
@click.option("--count", required=True, type=click.IntRange(1), help="Images of the data set.")
@click.option("--start", default=0, show_default=True, type=click.IntRange(0), help="Index of the first sample.")
@click.option(
    "--format",
    default="png",
    show_default=True,
    type=click.Choice(["png", "webdataset", "tfrecord", "parquet"]),
    help="What a shard is: a folder of PNG files, a tar file, a TFRecord file, a Parquet file.",
)
@click.option("--shards", default=1, show_default=True, type=click.IntRange(1), help="Parts to write it in.")
@click.option(
    "--shard",
    "only",
    multiple=True,
    callback=_shards,
    metavar="K|A:B",
    help="Make only shard K, or A to B - 1; may be repeated.  [default: all]",
)
@click.option(
    "--workers",
    type=click.IntRange(0),
    show_default="one a processor, at most one a shard",
    help="Processes that make a shard each at a time; 0: none but this one.",
)
@click.option("--boxes/--no-boxes", default=True, show_default=True, help="Store each character's box.")
@click.option("--masks/--no-masks", default=False, show_default=True, help="Store each character's pixels.")
@click.option("--out", required=True, type=click.Path(file_okay=False), help="Folder for the data set.")
def export(recipe: str, out: str, **options: Any) -> None:
    """Write a data set: pictures, texts and boxes, in shards.

    A stopped export goes on where it was: finished shards are kept. Several machines can share the work and the
    folder, each with a --shard of its own; the files are the same bytes as from one.
    """
    from synth_engine.export import export_dataset

    done = export_dataset(Recipe.resolve(recipe), out, **options)
    click.echo(f"{out}: {done.images:,} images written, shards: {done.made} made, {done.kept} kept")


@cli.command(epilog="Example: python -m synth_engine target challenges --recipe hackmit --out runs/target")
@click.argument("path", type=click.Path())
@recipe_option
@click.option("--out", required=True, type=click.Path(file_okay=False), help="Folder for mask, mean image and sheet.")
@click.option(
    "--mean-share",
    default=0.9,
    show_default=True,
    type=click.FloatRange(0, 1, max_open=True),
    help="Mask by the mean: pixels inked in more than this share of the images.",
)
@click.option(
    "--and-tolerance",
    default=0.01,
    show_default=True,
    type=click.FloatRange(0, 1, max_open=True),
    help="Mask by bit-AND: pixels that at most this share of the images lack.",
)
def target(path: str, recipe: str, out: str, mean_share: float, and_tolerance: float) -> None:
    """Read the real images under PATH; count them, find their shared mask, and draw a sheet."""
    from synth_engine.real import write_report

    write_report(path, Recipe.resolve(recipe), out, mean_share=mean_share, and_tolerance=and_tolerance)


@cli.command(epilog="Example: python -m synth_engine stream --workers 4 --seconds 10")
@recipe_option
@seed_option
@click.option("--batch-size", default=512, show_default=True, type=click.IntRange(1), help="Images a batch.")
@click.option("--workers", default=0, show_default=True, type=click.IntRange(0), help="Ray actors; 0: threads here.")
@click.option("--ray-address", metavar="HOST:PORT", help="A running Ray cluster.", show_default="one started here")
@click.option(
    "--threads",
    type=click.IntRange(0),
    show_default="2 where there are 2 CPUs",
    help="Threads that draw, without --workers; 0: the one that takes.",
)
@click.option(
    "--rate", type=click.FloatRange(0, min_open=True), help="Images/s to take.", show_default="as fast as they come"
)
@click.option("--seconds", default=10.0, show_default=True, type=click.FloatRange(0, min_open=True), help="How long.")
def stream(
    recipe: str,
    seed: int,
    batch_size: int,
    workers: int,
    ray_address: str | None,
    threads: int | None,
    rate: float | None,
    seconds: float,
) -> None:
    """Take batches, at full speed or at a trainer's rate, and say how that goes: the way to size a machine.

    Workers that are busy all the time are the limit at full speed; with --rate, a consumer that waits 0% of the time
    has enough of them.
    """
    from synth_engine.stream import meter, open_stream

    source = Recipe.resolve(recipe)
    with open_stream(
        source, seed, batch_size=batch_size, workers=workers, ray_address=ray_address, threads=threads
    ) as batches:
        taken = meter.watch(batches, seconds, images_per_s=rate)
    click.echo(meter.line(taken))
    if taken.workers:
        click.echo(meter.table(taken))


@cli.command(
    epilog="Example: python -m synth_engine download https://example.org/challenge --out challenges --count 20"
)
@click.argument("url")
@click.option("--out", required=True, type=click.Path(file_okay=False), help="Folder for challenge-<k>.")
@click.option("--count", default=1, show_default=True, type=click.IntRange(1), help="Challenge files to fetch.")
@click.option("--threads", default=4, show_default=True, type=click.IntRange(1, 64), help="Requests at a time.")
@click.option(
    "--timeout",
    default=30.0,
    show_default=True,
    type=click.FloatRange(0, min_open=True),
    help="Seconds to wait for an answer or for its next part.",
)
@click.option("--retries", default=3, show_default=True, type=click.IntRange(0), help="Further tries of each file.")
@click.option(
    "--max-mib", default=64, show_default=True, type=click.IntRange(1, 256), help="Largest answer taken, MiB."
)
def download(url: str, out: str, count: int, threads: int, timeout: float, retries: int, max_mib: int) -> None:
    """Fetch challenge files from URL ({k} becomes the number), only what is missing; images you are entitled to."""
    from synth_engine.real import download as fetch

    size = max_mib * 2**20
    done = fetch(url, out, count, threads=threads, timeout_s=timeout, retries=retries, max_bytes=size, progress=True)
    click.echo(f"{out}: {len(done.fetched)} fetched, {len(done.present)} already there")


@cli.command(epilog="Example: python -m synth_engine unpack challenges --out images")
@click.argument("path", type=click.Path())
@click.option("--out", required=True, type=click.Path(file_okay=False), help="Folder for the pictures.")
def unpack(path: str, out: str) -> None:
    """Write the images of a challenge file, or of a folder of them, as files of their own."""
    from synth_engine.real import unpack as write_images

    done = write_images(path, out)
    for name, problem in done.damaged:
        click.echo(f"{name}: {problem}", err=True)
    click.echo(f"{out}: {done.written} written, {len(done.damaged)} damaged")
