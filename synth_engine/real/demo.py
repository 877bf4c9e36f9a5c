"""Demonstration images, rendered by the independent PyPI package ``captcha``, with their texts in a file apart.

They stand for real images where none can be shared: no code of this project renders them, and training reads the images
alone. The texts are for evaluation.
"""

from __future__ import annotations

import csv
import io
import random
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from synth_engine.atomic import write_bytes
from synth_engine.errors import RealImagesError
from synth_engine.json_files import read_json, write_json

ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789"
LENGTH = 4
WIDTH_PX, HEIGHT_PX = 100, 50
FONT_SIZES_PX = (26, 28, 30)
MANIFEST_KIND = "demonstration images"

_T = TypeVar("_T")
_module_lock = threading.Lock()


@dataclass(frozen=True, slots=True)
class Demo:
    """Where demonstration images lie: the folder of PNG files, and the CSV (name,text) outside it."""

    images: Path
    truth: Path


def make_demo(
    folder: str | Path, count: int, seed: int = 0, *, progress: Callable[[int, int | None], object] | None = None
) -> Demo:
    """Render ``count`` captchas of four characters of a–z0–9 (uniform) as 100×50 px PNG files under ``folder/images``.

    ``folder/truth.csv`` holds their texts; ``folder/manifest.json``, completed last, the arguments. Image i depends
    on (seed, i) and the versions of ``captcha`` and Pillow alone. The same call again keeps the images that are there
    and renders the rest. ``progress`` is called with the number of images done and of all.

    Raises RealImagesError if the folder holds anything else, or without the package ``captcha``.
    """
    if count < 1:
        raise RealImagesError(f"expected at least 1 image, received {count}", count)
    demo = Demo(Path(folder) / "images", Path(folder) / "truth.csv")
    manifest = {"count": count, "seed": seed, "captcha": _captcha_version()}
    _claim(Path(folder), manifest)
    names = [f"demo-{i:06d}" for i in range(count)]
    _render_missing(demo.images, names, seed, progress)
    _write_truth(demo.truth, names, seed)
    _write_manifest(Path(folder), manifest, complete=True)
    return demo


def render_demo(index: int, seed: int) -> bytes:
    """Demonstration image ``index``, as PNG."""
    from captcha.image import ImageCaptcha

    captcha = ImageCaptcha(width=WIDTH_PX, height=HEIGHT_PX, font_sizes=FONT_SIZES_PX)
    with seeded_secrets(_stream("image", index, seed)):
        png: bytes = captcha.generate(text_of(index, seed)).getvalue()
    return png


def text_of(index: int, seed: int) -> str:
    """The text of demonstration image ``index``: `LENGTH` characters, each uniform over `ALPHABET`."""
    return "".join(_stream("text", index, seed).choices(ALPHABET, k=LENGTH))


class _SeededSecrets:
    """The functions of the module ``secrets`` that ``captcha`` calls, from a seeded generator."""

    def __init__(self, stream: random.Random) -> None:
        self._stream = stream

    def randbelow(self, exclusive_upper_bound: int) -> int:
        return self._stream.randrange(exclusive_upper_bound)

    def randbits(self, k: int) -> int:
        return self._stream.getrandbits(k)

    def choice(self, sequence: Sequence[_T]) -> _T:
        return self._stream.choice(sequence)


@contextmanager
def seeded_secrets(stream: random.Random) -> Iterator[None]:
    """Let ``captcha`` take random numbers from ``stream``, one thread at a time; its own source is restored after."""
    from captcha import image

    module: Any = image
    with _module_lock:
        former = module.secrets
        module.secrets = _SeededSecrets(stream)
        try:
            yield
        finally:
            module.secrets = former


def _stream(purpose: str, index: int, seed: int) -> random.Random:
    return random.Random(f"{purpose}/{seed}/{index}")


def _captcha_version() -> str:
    from importlib import metadata

    try:
        return metadata.version("captcha")
    except metadata.PackageNotFoundError as error:
        raise RealImagesError("demonstration images need the package captcha: pip install captcha==0.7.1") from error


def _claim(folder: Path, manifest: dict[str, object]) -> None:
    """Write the manifest into an empty folder, or check the one that is there."""
    path = folder / "manifest.json"
    if not path.exists():
        if folder.exists() and any(folder.iterdir()):
            raise RealImagesError(f"expected a new or empty folder, {folder} holds other files; choose another", folder)
        _write_manifest(folder, manifest, complete=False)
        return
    remedy = "choose another folder, or remove this one"
    found = read_json(path, MANIFEST_KIND, remedy=remedy, error=RealImagesError)
    found.pop("complete", None)
    if found != manifest:
        raise RealImagesError(
            f"expected demonstration images of {manifest}, {folder} holds those of {found}; choose another folder",
            folder,
        )


def _render_missing(
    folder: Path, names: list[str], seed: int, progress: Callable[[int, int | None], object] | None
) -> None:
    present = {file.name for file in folder.iterdir()} if folder.is_dir() else set()
    for index, name in enumerate(names):
        if f"{name}.png" not in present:
            write_bytes(folder / f"{name}.png", render_demo(index, seed), flush=False)
        if progress is not None:
            progress(index + 1, len(names))


def _write_truth(path: Path, names: list[str], seed: int) -> None:
    table = io.StringIO()
    rows = csv.writer(table, lineterminator="\n")
    rows.writerows([("name", "text"), *((name, text_of(index, seed)) for index, name in enumerate(names))])
    write_bytes(path, table.getvalue().encode())


def _write_manifest(folder: Path, manifest: dict[str, object], *, complete: bool) -> None:
    write_json(folder / "manifest.json", MANIFEST_KIND, {**manifest, "complete": complete})
