"""Which files count as pictures, and how their pixels become plain ones: for real images and for grounds alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from PIL.Image import Image

PICTURE_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".webp"})
PICTURE_FORMATS = ("PNG", "JPEG", "BMP", "WEBP")  # the same in Pillow's words


def opaque(picture: Image) -> Image:
    """``picture`` with 8 bits a channel and its transparent parts laid on white."""
    from PIL import Image  # loaded with the first picture: recipes need the suffixes alone

    if picture.mode.startswith("I"):  # 16 bits a pixel: converting would clip at 255 instead of scaling
        return Image.fromarray((np.asarray(picture).astype(np.uint32) >> 8).astype(np.uint8))
    if not picture.has_transparency_data:
        return picture
    white = Image.new("RGBA", picture.size, "white")
    return Image.alpha_composite(white, picture.convert("RGBA"))
