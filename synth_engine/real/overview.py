"""What `python -m synth_engine target` writes: counts, the shared mask, the mean image and a sheet to look at."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import msgspec
import numpy as np
import numpy.typing as npt

from synth_engine.atomic import write_bytes
from synth_engine.real.intake import IntakeReport, RealImages, load_real_images
from synth_engine.real.mask import and_mask, ink_counts, mean_mask, remove_mask
from synth_engine.recipe import Recipe

SHEET_IMAGES = 64
SHEET_COLUMNS = 8
MEAN_SHARE = 0.9
AND_TOLERANCE = 0.01


def write_report(
    path: str | Path,
    recipe: Recipe,
    out: str | Path,
    *,
    mean_share: float = MEAN_SHARE,
    and_tolerance: float = AND_TOLERANCE,
) -> IntakeReport:
    """Read the target in ``path``, print its counts, and write what was found into the folder ``out``.

    Files: ``mask.png`` (`mean_mask` with ``mean_share``), ``mask-and.png`` (`and_mask` with that share),
    ``mean.png`` (share of images that ink a pixel: 0 none, 255 all), ``sheet.png`` (images spread over the target, and
    some without the mask) and ``report.json``. Shows a bar on stderr. Raises what `load_real_images` raises.
    """
    target = load_real_images(path, recipe, progress=True)
    pictures = _pictures(target.images, mean_share, and_tolerance)
    for name, pixels in pictures.items():
        _save(pixels, Path(out) / name)
    _save_sheet(target, pictures["mask.png"] > 0, Path(out) / "sheet.png")
    facts = _facts(target, str(path), recipe, {name: int((ink > 0).sum()) for name, ink in pictures.items()})
    write_bytes(Path(out) / "report.json", msgspec.json.format(msgspec.json.encode(facts), indent=2) + b"\n")
    masks = f"shared mask {facts['mask_px']} px by the mean, {facts['mask_and_px']} px by bit-AND"
    click.echo("\n".join([*target.report.lines(), masks, f"written to {out}"]))
    return target.report


def _pictures(
    images: npt.NDArray[np.uint8], mean_share: float, and_tolerance: float
) -> dict[str, npt.NDArray[np.uint8]]:
    mean = ink_counts(images) * (255 / len(images))
    return {
        "mask.png": mean_mask(images, mean_share) * np.uint8(255),
        "mask-and.png": and_mask(images, and_tolerance) * np.uint8(255),
        "mean.png": np.round(mean).astype(np.uint8),
    }


def _save(pixels: npt.NDArray[np.uint8], path: Path) -> None:
    from PIL import Image

    from synth_engine.contact_sheet import save_picture

    save_picture(Image.fromarray(pixels), path)


def _save_sheet(target: RealImages, mask: npt.NDArray[np.bool_], path: Path) -> None:
    from synth_engine.contact_sheet import row_sheet, save_picture

    count = len(target.images)
    some = target.images[np.unique(np.linspace(0, count - 1, min(SHEET_IMAGES, count)).astype(int))]
    rows = [("binarised", some[k : k + SHEET_COLUMNS]) for k in range(0, len(some), SHEET_COLUMNS)]
    if mask.any():
        rows.append(("without the mask", remove_mask(some[:SHEET_COLUMNS], mask.astype(np.uint8))))
    save_picture(row_sheet(rows), path)


def _facts(target: RealImages, path: str, recipe: Recipe, inked_px: dict[str, int]) -> dict[str, Any]:
    report = target.report
    return {
        "path": path,
        "recipe": recipe.name,
        "width_px": recipe.shape[1],
        "height_px": recipe.shape[0],
        "read": report.read,
        "damaged": [{"name": name, "reason": reason} for name, reason in report.damaged],
        "wrong_size": [{"name": name, "width_px": w, "height_px": h} for name, (h, w) in report.wrong_size],
        "ink_share": round(float(target.images.mean()), 6),
        "mask_px": inked_px["mask.png"],
        "mask_and_px": inked_px["mask-and.png"],
    }
