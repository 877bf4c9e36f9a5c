"""Small pictures and challenge files that tests of real images share."""

from __future__ import annotations

import base64
import io
import json

import numpy as np
from PIL import Image


def picture(form: str = "PNG", *, size: tuple[int, int] = (40, 24), value: int = 255) -> bytes:
    """A compressed picture of one grey value, (width, height) px."""
    buffer = io.BytesIO()
    Image.new("L", size, value).save(buffer, form)
    return buffer.getvalue()


def speckled(seed: int) -> bytes:
    """A JPEG of 40x24 px of random black and white, so that cutting it short is noticed."""
    buffer = io.BytesIO()
    pixels = np.random.default_rng(seed).integers(0, 2, (24, 40), dtype=np.uint8) * 255
    Image.fromarray(pixels.astype(np.uint8)).save(buffer, "JPEG")
    return buffer.getvalue()


def challenge(**images: bytes | str) -> bytes:
    """A challenge file; a str is put in as base64 unchanged."""
    encoded = {name: c if isinstance(c, str) else base64.b64encode(c).decode() for name, c in images.items()}
    return json.dumps({"images": [{"name": name, "jpg_base64": c} for name, c in encoded.items()]}).encode()
