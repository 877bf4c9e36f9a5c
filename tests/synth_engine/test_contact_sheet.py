"""Contact sheets hold every image, whatever type its pixels are of."""

from __future__ import annotations

import numpy as np

from synth_engine.contact_sheet import labelled_sheet, row_sheet, to_grey


def test_sheets_hold_every_image() -> None:
    images = np.ones((3, 10, 20), np.uint8)
    sheet = np.asarray(row_sheet([("ones", images), ("floats", np.full((3, 10, 20, 1), -1.0))], scale=1))
    assert (sheet == 255).sum() >= 600
    assert (sheet == 0).sum() >= 600
    assert (np.asarray(labelled_sheet(images, ["a", "b", "c"], columns=2, scale=1)) == 255).sum() >= 600
    assert to_grey(np.array([[[0, 128, 255]]], np.uint8)).tolist() == [[[0, 128, 255]]]
