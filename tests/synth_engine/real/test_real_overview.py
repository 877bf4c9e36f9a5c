"""The overview of real images: its files say what the images hold."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from synth_engine import Recipe
from synth_engine.json_files import read_json
from synth_engine.real import write_overview
from synth_engine.real.overview import REPORT_KIND
from tests.synth_engine.real.image_files import picture


@pytest.fixture
def half_inked(tmp_path: Path) -> Path:
    """Twenty images whose left half is always ink, whose right half only once."""
    folder = tmp_path / "images"
    folder.mkdir()
    for k in range(20):
        pixels = np.zeros((24, 40), np.uint8)
        pixels[:, : 40 if k == 0 else 20] = 255
        Image.fromarray(pixels).save(folder / f"{k}.png")
    (folder / "bad.png").write_bytes(b"bad")
    (folder / "wide.png").write_bytes(picture(size=(80, 24)))
    return folder


def test_counts_are_returned_and_written(
    half_inked: Path, tmp_path: Path, tiny: Recipe, capsys: pytest.CaptureFixture[str]
) -> None:
    found = write_overview(half_inked, tiny, tmp_path / "out")
    facts = read_json(tmp_path / "out" / "report.json", REPORT_KIND, remedy="inspect again")
    assert found.report.summary() == "20 read, 1 damaged, 1 of another size, 0 repeated"
    assert found.lines()[-1] == "shared mask: 480 px by the mean, 480 px by bit-AND"
    assert capsys.readouterr() == ("", "")
    assert facts["damaged"][0]["name"] == "bad"
    assert facts["wrong_size"] == [{"name": "wide", "width_px": 80, "height_px": 24}]
    assert (facts["repeated"], facts["inverted"]) == ([], False)
    assert facts["mask_px"] == facts["mask_and_px"] == 24 * 20


def test_pictures_show_the_mask_and_the_mean(half_inked: Path, tmp_path: Path, tiny: Recipe) -> None:
    write_overview(half_inked, tiny, tmp_path / "out")
    pictures = {file.name: np.asarray(Image.open(file)) for file in (tmp_path / "out").glob("*.png")}
    assert pictures["mask.png"][0].tolist() == [255] * 20 + [0] * 20
    assert np.array_equal(pictures["mask.png"], pictures["mask-and.png"])
    assert pictures["mean.png"][0].tolist() == [255] * 20 + [round(255 / 20)] * 20
    assert pictures["sheet.png"].std() > 0
