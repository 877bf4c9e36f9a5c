"""`synth-engine`, also `python -m synth_engine`: sample, export, inspect, stream, download, unpack."""

from __future__ import annotations

import re
from collections.abc import Callable

import click

from synth_engine.cli.options import (
    Function,
    GroupedCommand,
    option,
    ray_address_option,
    recipe_option,
    seed_option,
    workers_option,
)
from synth_engine.recipe import Recipe
from synth_engine.synthesizer import Synthesizer


@click.group()
def cli() -> None:
    """Labelled synthetic images of short text, and the real images they imitate."""


def start_option() -> Callable[[Function], Function]:
    """``--start``: which samples of (recipe, seed)."""
    return option(
        "--start", group="Data", default=0, show_default=True, type=click.IntRange(0), help="Index of the first sample."
    )


@cli.command(cls=GroupedCommand, epilog="Example: synth-engine sample --recipe hackmit --out sheet.png")
@recipe_option()
@seed_option()
@option(
    "--count",
    group="Data",
    default=64,
    show_default=True,
    type=click.IntRange(1, 10_000),
    help="Number of samples.",
)
@start_option()
@option(
    "--out",
    group="Output",
    default="sheet.png",
    show_default=True,
    type=click.Path(dir_okay=False),
    help="Picture to write.",
)
def sample(recipe: str, seed: int, count: int, start: int, out: str) -> None:
    """Write a contact sheet of samples with their labels."""
    from synth_engine.contact_sheet import labelled_sheet, save_picture

    batch = Synthesizer(Recipe.resolve(recipe), seed).batch(start, count)
    save_picture(labelled_sheet(batch.images, batch.texts()), out)
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
    cls=GroupedCommand,
    epilog="Example: synth-engine export --recipe hackmit --count 1000000 --format webdataset --shards 16 --out data",
)
@recipe_option()
@seed_option()
@option("--count", group="Data", required=True, type=click.IntRange(1), help="Number of samples.")
@start_option()
@option(
    "--format",
    group="Output",
    default="png",
    show_default=True,
    type=click.Choice(["png", "webdataset", "tfrecord", "parquet"]),
    help="What a shard is: a folder of PNG files, a tar file, a TFRecord file or a Parquet file.",
)
@option(
    "--shards",
    group="Output",
    default=1,
    show_default=True,
    type=click.IntRange(1),
    help="Number of parts that the data set is written in.",
)
@option(
    "--shard",
    "only",
    group="Output",
    multiple=True,
    callback=_shards,
    metavar="K|A:B",
    show_default="all",
    help="Make only shard K, or shards A to B - 1; may be repeated.",
)
@option("--boxes/--no-boxes", group="Output", default=True, show_default=True, help="Store each character's box.")
@option("--masks/--no-masks", group="Output", default=False, show_default=True, help="Store each character's pixels.")
@option("--out", group="Output", required=True, type=click.Path(file_okay=False), help="Folder for the data set.")
@option(
    "--workers",
    group="Machine",
    type=click.IntRange(0),
    show_default="one a processor, at most one a shard",
    help="Processes, each making one shard at a time; 0: this process alone.",
)
def export(
    recipe: str,
    seed: int,
    count: int,
    start: int,
    format: str,
    shards: int,
    only: list[int] | None,
    boxes: bool,
    masks: bool,
    out: str,
    workers: int | None,
) -> None:
    """Write a data set in shards: pictures, texts and boxes.

    The same command again continues a stopped export: finished shards are kept. Several machines can share the work
    and the folder, each with a --shard of its own; the files have the same bytes as from one machine.
    """
    from synth_engine.cli.progress import progress_bar
    from synth_engine.export import export_dataset

    with progress_bar("exporting", "images") as bar:
        done = export_dataset(
            Recipe.resolve(recipe),
            out,
            count=count,
            seed=seed,
            start=start,
            format=format,
            shards=shards,
            only=only,
            workers=workers,
            boxes=boxes,
            masks=masks,
            progress=bar,
        )
    click.echo(f"{out}: {done.images:,} images written, shards: {done.made} made, {done.kept} kept")


@cli.command(cls=GroupedCommand, epilog="Example: synth-engine inspect challenges --recipe hackmit --out runs/real")
@click.argument("path", type=click.Path())
@recipe_option()
@option(
    "--mean-share",
    group="Data",
    default=0.9,
    show_default=True,
    type=click.FloatRange(0, 1, max_open=True),
    help="mask.png: pixels inked in more than this share of the images.",
)
@option(
    "--and-tolerance",
    group="Data",
    default=0.01,
    show_default=True,
    type=click.FloatRange(0, 1, max_open=True),
    help="mask-and.png: pixels that at most this share of the images lack.",
)
@option(
    "--out",
    group="Output",
    required=True,
    type=click.Path(file_okay=False),
    help="Folder for the masks, the mean image, a contact sheet and report.json.",
)
def inspect(path: str, recipe: str, out: str, mean_share: float, and_tolerance: float) -> None:
    """Inspect the real images in PATH: count them, find the ink they share, and write a contact sheet.

    PATH is a folder of images, a folder of challenge files, or one such file.
    """
    from synth_engine.cli.progress import progress_bar
    from synth_engine.real import write_overview

    with progress_bar("reading", "images") as bar:
        found = write_overview(
            path, Recipe.resolve(recipe), out, mean_share=mean_share, and_tolerance=and_tolerance, progress=bar
        )
    click.echo("\n".join([*found.lines(), f"written to {out}"]))


@cli.command(
    cls=GroupedCommand,
    params=inspect.params,
    hidden=True,
    epilog="Example: synth-engine inspect challenges --out runs/real",
)
@click.pass_context
def target(context: click.Context, /, **_options: object) -> None:
    """Deprecated: the former name of inspect."""
    click.echo("warning: `target` is deprecated and will be removed; use `inspect`", err=True)
    context.forward(inspect)


@cli.command(cls=GroupedCommand, epilog="Example: synth-engine stream --workers 4 --seconds 10")
@recipe_option()
@seed_option()
@option("--batch-size", group="Data", default=512, show_default=True, type=click.IntRange(1), help="Images in a batch.")
@option(
    "--rate",
    group="Data",
    type=click.FloatRange(0, min_open=True),
    show_default="as fast as they come",
    help="Images to take a second.",
)
@option(
    "--seconds",
    group="Data",
    default=10.0,
    show_default=True,
    type=click.FloatRange(0, min_open=True),
    help="How long to take batches.",
)
@workers_option()
@ray_address_option()
@option(
    "--threads",
    group="Machine",
    type=click.IntRange(0),
    show_default="2 where there are 2 processors",
    help="Threads that render, without --workers; 0: the thread that takes the batches.",
)
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
    """Measure a stream of batches, at full speed or at the rate of a trainer, to size a machine.

    Once a second it prints the rate, how long the consumer waited, and how busy the workers were. At full speed,
    workers that are busy all the time are the limit. With --rate, a consumer that waits 0% of the time has enough of
    them.
    """
    from synth_engine.cli.progress import status_line
    from synth_engine.stream import meter, open_stream

    batches = open_stream(
        Recipe.resolve(recipe), seed, batch_size=batch_size, workers=workers, ray_address=ray_address, threads=threads
    )
    with batches, status_line() as show:
        taken = meter.measure(batches, seconds, images_per_s=rate, report=show)
    click.echo(meter.line(taken))
    if taken.workers:
        click.echo(meter.table(taken))


@cli.command(
    cls=GroupedCommand,
    epilog="Example: synth-engine download https://example.org/challenge --out challenges --count 20",
)
@click.argument("url")
@option("--out", group="Output", required=True, type=click.Path(file_okay=False), help="Folder for challenge-<k>.")
@option(
    "--count",
    group="Data",
    default=1,
    show_default=True,
    type=click.IntRange(1),
    help="Number of challenge files to have.",
)
@option(
    "--threads",
    group="Machine",
    default=4,
    show_default=True,
    type=click.IntRange(1, 64),
    help="Requests at a time.",
)
@option(
    "--timeout",
    group="Machine",
    default=30.0,
    show_default=True,
    type=click.FloatRange(0, min_open=True),
    help="Seconds to wait for an answer, and for each part of it.",
)
@option(
    "--retries",
    group="Machine",
    default=3,
    show_default=True,
    type=click.IntRange(0),
    help="Further attempts for each file.",
)
@option(
    "--max-mib",
    group="Machine",
    default=64,
    show_default=True,
    type=click.IntRange(1, 256),
    help="Largest answer that is accepted, MiB.",
)
def download(url: str, out: str, count: int, threads: int, timeout: float, retries: int, max_mib: int) -> None:
    """Fetch challenge files from URL, only those that are missing; {k} in it becomes the file's number.

    Fetch only images that you are entitled to.
    """
    from synth_engine.cli.progress import progress_bar
    from synth_engine.real import download as fetch

    with progress_bar("fetching", "files") as bar:
        done = fetch(
            url,
            out,
            count,
            threads=threads,
            timeout_s=timeout,
            retries=retries,
            max_bytes=max_mib * 2**20,
            progress=bar,
        )
    click.echo(f"{out}: {len(done.fetched)} fetched, {len(done.present)} already there")


@cli.command(cls=GroupedCommand, epilog="Example: synth-engine unpack challenges --out images")
@click.argument("path", type=click.Path())
@option("--out", group="Output", required=True, type=click.Path(file_okay=False), help="Folder for the pictures.")
def unpack(path: str, out: str) -> None:
    """Write the images of a challenge file, or of a folder of them, as files of their own."""
    from synth_engine.real import unpack as write_images

    done = write_images(path, out)
    for name, problem in done.damaged:
        click.echo(f"{name}: {problem}", err=True)
    click.echo(f"{out}: {done.written} written, {len(done.damaged)} damaged")
