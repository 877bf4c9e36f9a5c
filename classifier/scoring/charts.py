"""Pictures of a score: the confusion matrix, and the images that were read wrong with the highest confidence."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from classifier.scoring.scores import AccuracyScore
from synth_engine.contact_sheet import labelled_sheet
from synth_engine.errors import SynthError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NONE = "none"
CELL_INCHES = 0.28
MARGIN_INCHES = 1.6
DARK = 0.4  # share from which a cell is too dark for red
COLUMNS = 6


def confusion(score: AccuracyScore, alphabet: str) -> NDArray[np.int64]:
    """(alphabet + 1, alphabet + 1) counts: rows are true classes, columns those read, the last of each is "none"."""
    place = {character: k for k, character in enumerate(alphabet)}
    counts = np.zeros((len(alphabet) + 1,) * 2, np.int64)
    for character, share in score.classes.items():
        counts[place[character], place[character]] = share.right
    for true, read, count in score.mistakes:
        counts[place.get(true, -1), place.get(read, -1)] = count
    return counts


def confusion_chart(score: AccuracyScore, alphabet: str) -> Image.Image:
    """The confusion matrix as shares of each true class, with the counts of mistakes."""
    from matplotlib.figure import Figure

    counts = confusion(score, alphabet)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    side = MARGIN_INCHES + CELL_INCHES * len(counts)
    figure = Figure(figsize=(side, side), dpi=120, layout="constrained")
    axes = figure.add_subplot()
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    names = [*alphabet, NONE]
    axes.set_xticks(range(len(names)), names, fontsize=7)
    axes.set_yticks(range(len(names)), names, fontsize=7)
    axes.get_xticklabels()[-1].set(rotation=90)
    right = score.characters
    axes.set(xlabel="read", ylabel="true")
    axes.set_title(f"{right.right} of {right.total}\ncharacters right", fontsize=9)
    for true, read in zip(*np.nonzero(counts - np.diag(np.diag(counts))), strict=True):
        count, colour = f"{counts[true, read]}", "white" if shares[true, read] > DARK else "firebrick"
        size = min(6.0, 24.0 / len(count))  # five digits and more stay in their cell
        axes.text(read, true, count, ha="center", va="center", fontsize=size, color=colour)
    return _picture(figure)


def mistakes_sheet(images: Sequence[NDArray[np.uint8]], captions: Sequence[str]) -> Image.Image:
    """Grey images (H, W) uint8, each under its caption; raises SynthError if there are none."""
    if not images:
        raise SynthError("expected at least one image for a sheet, received none")
    return labelled_sheet(np.stack(images), captions, columns=COLUMNS)


def _picture(figure: Figure) -> Image.Image:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    buffer.seek(0)
    return Image.open(buffer)
