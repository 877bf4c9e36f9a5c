"""What `synth-engine inspect` writes: counts, the shared mask, the mean image and a contact sheet."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from synth_engine.contact_sheet import row_sheet, save_picture
from synth_engine.json_files import write_json
from synth_engine.real.intake import IntakeReport, RealImages, load_real_images
from synth_engine.real.mask import and_mask, ink_counts, mean_mask, remove_mask
from synth_engine.real.selection import evenly
from synth_engine.recipe import Recipe

REPORT_KIND = "overview of real images"
SHEET_IMAGES = 64
SHEET_COLUMNS = 8
MEAN_SHARE = 0.9
AND_TOLERANCE = 0.01


@dataclass(frozen=True, kw_only=True)
class Overview:
    """What was found in real images: the report of the intake, and the pixels of the mask by each method."""

    report: IntakeReport
    mask_px: int
    mask_and_px: int

    def lines(self) -> list[str]:
        """Lines for people."""
        return [*self.report.lines(), f"shared mask: {self.mask_px} px by the mean, {self.mask_and_px} px by bit-AND"]


def write_overview(
    path: str | Path,
    recipe: Recipe,
    out: str | Path,
    *,
    mean_share: float = MEAN_SHARE,
    and_tolerance: float = AND_TOLERANCE,
    progress: Callable[[int, int | None], object] | None = None,
) -> Overview:
    """Read the real images in ``path`` and write what they look like into the folder ``out``.

    - ``mask.png``: `mean_mask` with ``mean_share``; ``mask-and.png``: `and_mask` with ``and_tolerance``;
    - ``mean.png``: how many of the images ink a pixel, from 0 (none) to 255 (all);
    - ``sheet.png``: images spread over all of them, and some without the mask;
    - ``report.json``: counts, and the names of what was left out.

    Images of the other polarity are accepted, and the report says so. ``progress`` and errors are those of
    `load_real_images`.
    """
    real = load_real_images(path, recipe, allow_inverted=True, progress=progress)
    pictures = _pictures(real.images, mean_share, and_tolerance)
    for name, pixels in pictures.items():
        save_picture(Image.fromarray(pixels), Path(out) / name)
    save_picture(_sheet(real.images, pictures["mask.png"] > 0), Path(out) / "sheet.png")
    found = Overview(
        report=real.report,
        mask_px=int((pictures["mask.png"] > 0).sum()),
        mask_and_px=int((pictures["mask-and.png"] > 0).sum()),
    )
    write_json(Path(out) / "report.json", REPORT_KIND, _facts(found, real, str(path), recipe))
    return found


def _pictures(
    images: npt.NDArray[np.uint8], mean_share: float, and_tolerance: float
) -> dict[str, npt.NDArray[np.uint8]]:
    mean = ink_counts(images) * (255 / len(images))
    return {
        "mask.png": mean_mask(images, mean_share) * np.uint8(255),
        "mask-and.png": and_mask(images, and_tolerance) * np.uint8(255),
        "mean.png": np.round(mean).astype(np.uint8),
    }


def _sheet(images: npt.NDArray[np.uint8], mask: npt.NDArray[np.bool_]) -> Image.Image:
    some = images[evenly(len(images), SHEET_IMAGES)]
    rows = [("binarised", some[k : k + SHEET_COLUMNS]) for k in range(0, len(some), SHEET_COLUMNS)]
    if mask.any():
        rows.append(("without the mask", remove_mask(some[:SHEET_COLUMNS], mask.astype(np.uint8))))
    return row_sheet(rows)


def _facts(found: Overview, real: RealImages, path: str, recipe: Recipe) -> dict[str, Any]:
    report = found.report
    return {
        "path": path,
        "recipe": recipe.name,
        "width_px": recipe.shape[1],
        "height_px": recipe.shape[0],
        "read": report.read,
        "damaged": [{"name": name, "reason": reason} for name, reason in report.damaged],
        "wrong_size": [{"name": name, "width_px": w, "height_px": h} for name, (h, w) in report.wrong_size],
        "repeated": report.repeated,
        "inverted": report.inverted is not None,
        "ink_share": round(float(real.images.mean()), 6),
        "mask_px": found.mask_px,
        "mask_and_px": found.mask_and_px,
    }
