"""A recipe with two stages of your own, from stages.py beside this file: plates photographed off a display.

    python examples/own_stage.py plates.png

A recipe names them as ``stages:scanlines``: what is beside the script is on Python's path.
"""

from __future__ import annotations

import sys

from synth_engine import Recipe, Synthesizer
from synth_engine.contact_sheet import labelled_sheet, save_picture
from synth_engine.recipe import Blur, Canvas, Character, Flow, Font, Gradient, Ink, Own, OwnMark, Picture, Rotate

PLATES = Recipe(
    name="plates",
    alphabet="0123456789ABCDEF",
    length=(5, 7),
    canvas=Canvas(width_px=160, height_px=48),
    fonts=(Font(file="package:fontpkg_rubik/files/Rubik[wght].ttf", size_px=30),),
    picture=Picture(
        layout=Flow(y_px=(33, 36), gap_px=(0, 2)),
        character=Character(angle_deg=(-2, 2)),
        warps=(Rotate(angle_deg=(-3, 3)),),
        ink=Ink(level=(10, 60)),
        ground=Gradient(level=(150, 230)),
        clutter=(OwnMark(function="stages:screws", values={"radius_px": (2, 3)}, level=(60, 90), behind=True),),
        camera=(
            Blur(sigma_px=(0.3, 0.7)),
            Own(function="stages:scanlines", values={"depth": (0.2, 0.5), "pitch_px": (2.5, 4)}),
        ),
    ),
)


def main(path: str = "plates.png") -> None:
    """Write 24 samples, each under its text, to ``path``."""
    batch = Synthesizer(PLATES, seed=1).batch(0, 24)
    save_picture(labelled_sheet(batch.images, batch.texts(), columns=6), path)


if __name__ == "__main__":
    main(*sys.argv[1:2])
