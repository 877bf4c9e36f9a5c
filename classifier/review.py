"""`python -m classifier.review`: a page for correcting what was read with little confidence."""

from __future__ import annotations

import base64
import hashlib
import io
from collections.abc import Container
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from classifier.reading.predictions import Prediction, load
from classifier.reading.review_page import items_of, render
from synth_engine.atomic import write_bytes
from synth_engine.cli.guard import main_guard
from synth_engine.errors import RealImagesError


@click.command(
    epilog="Example: python -m classifier.review --predictions texts-unsure.csv --images challenges --out review.html"
)
@click.option("--predictions", required=True, type=click.Path(), help="CSV or JSON lines from classifier.predict.")
@click.option("--images", required=True, type=click.Path(), help="The images that were read: a folder or a file.")
@click.option("--out", default="review.html", show_default=True, type=click.Path(dir_okay=False), help="Page to write.")
@click.option(
    "--model",
    type=click.Path(),
    help="classifier.keras; texts with characters outside its recipe's alphabet are marked.",
)
@click.option(
    "--limit", default=500, show_default=True, type=click.IntRange(1), help="Images shown, least confident first."
)
def review(predictions: str, images: str, out: str, model: str | None, limit: int) -> None:
    """Write an HTML page that shows images with their readings, takes corrections, and exports them as CSV.

    The page needs no network. The browser keeps what is typed until it is exported. The CSV has the columns name, text,
    and checked (1 where a person typed or confirmed).
    """
    from synth_engine.training.keras_files import recipe_beside

    path = Path(predictions)
    alphabet = recipe_beside(model).alphabet if model else None
    chosen = sorted(load(path), key=lambda one: one.confidence)[:limit]
    pictures = pictures_of(Path(images), {one.name for one in chosen})
    missing = [one.name for one in chosen if one.name not in pictures]
    if missing:
        raise RealImagesError(
            f"expected the images that {path} names in {images}, {len(missing)} are not there or damaged, such as "
            f"{missing[0]}; give the folder that was read",
            missing,
        )
    write_bytes(Path(out), page(path, [(one, pictures[one.name]) for one in chosen], alphabet).encode())
    click.echo(f"{out}: {len(chosen)} images to look at")


def page(path: Path, rows: list[tuple[Prediction, str]], alphabet: str | None) -> str:
    """The page of predictions from ``path``, each with the data URI of its picture."""
    mark = hashlib.sha256("\n".join(one.name for one, _ in rows).encode()).hexdigest()[:16]
    content = {"id": mark, "file": f"{path.stem}-corrected.csv", "alphabet": alphabet, "items": items_of(rows)}
    return render(f"{path.name}: {len(rows)} texts to check", content)


def pictures_of(path: Path, names: Container[str]) -> dict[str, str]:
    """Data URIs by name of the images in ``path`` whose name is in ``names``; the first of each name."""
    from synth_engine.real import IntakeReport, iter_grey, readable_images

    found = readable_images(iter_grey(path), IntakeReport(), only=names)
    return {image.name: data_uri(image.grey) for image in found}


def data_uri(grey: NDArray[np.uint8]) -> str:
    """A grey image (H, W) uint8 as a data URI that holds a PNG."""
    buffer = io.BytesIO()
    Image.fromarray(grey).save(buffer, format="PNG")
    return f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"


if __name__ == "__main__":
    main_guard(review)
