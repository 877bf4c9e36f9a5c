"""Pictures of a score: which character is taken for which, and the images that were read worst."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from classifier.scoring.scores import Score
from synth_engine.contact_sheet import labelled_sheet
from synth_engine.errors import SynthError

NONE = "none"
CELL_INCHES = 0.24


def confusion(score: Score, alphabet: str) -> NDArray[np.int64]:
    """(alphabet + 1, alphabet + 1) counts, rows true, columns read; the last of each for no character."""
    place = {character: k for k, character in enumerate(alphabet)}
    counts = np.zeros((len(alphabet) + 1,) * 2, np.int64)
    for character, share in score.classes.items():
        counts[place[character], place[character]] = share.right
    for true, read, count in score.mistakes:
        counts[place.get(true, -1), place.get(read, -1)] = count
    return counts


def draw_confusion(score: Score, alphabet: str) -> Image.Image:
    """The confusion matrix as shares of each true character, mistakes with their counts; needs matplotlib."""
    counts = confusion(score, alphabet)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    figure = _figure(1.5 + CELL_INCHES * len(counts))
    axes = figure.add_subplot()
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    names = [*alphabet, NONE]
    axes.set_xticks(range(len(names)), names, fontsize=7)
    axes.set_yticks(range(len(names)), names, fontsize=7)
    axes.set(xlabel="read", ylabel="true", title=f"{score.characters.right} of {score.characters.total} right")
    for true, read in zip(*np.nonzero(counts - np.diag(np.diag(counts))), strict=True):
        axes.text(read, true, str(counts[true, read]), ha="center", va="center", fontsize=6, color="firebrick")
    return _picture(figure)


def draw_mistakes(images: Sequence[NDArray[np.uint8]], captions: Sequence[str]) -> Image.Image:
    """Grey images (H, W), each under its caption; raises SynthError of none."""
    if not images:
        raise SynthError("expected at least one image for a sheet, received none")
    return labelled_sheet(np.stack(images), captions, columns=6)


def _figure(inches: float) -> Any:
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise SynthError("matplotlib expected for pictures, none is installed; install the extra `train`") from error
    return Figure(figsize=(inches, inches), dpi=120, layout="constrained")


def _picture(figure: Any) -> Image.Image:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    buffer.seek(0)
    return Image.open(buffer)
