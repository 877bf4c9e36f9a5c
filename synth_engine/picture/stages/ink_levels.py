"""The ranges of ink: the text's, and those of clutter that has an ink of its own."""

from __future__ import annotations

from synth_engine.picture.stages.stage import Ends
from synth_engine.recipe import Ink, Level, low_high


def level_columns(
    level: Level | None, rgb: tuple[Level, Level, Level] | None, channels: int, default: Level = 0.0
) -> list[Ends]:
    """One range for each of the ``channels``, or one whose number all of them share.

    In grey, ``level`` counts where it is given, else the luminance of ``rgb`` (ITU-R BT.601). In RGB, ``rgb`` counts
    first. ``default`` is the level where neither is given.
    """
    if rgb is None or (channels == 1 and level is not None):
        return [low_high(default if level is None else level)]
    red, green, blue = map(low_high, rgb)
    if channels == 3:
        return [red, green, blue]
    return [tuple(0.299 * r + 0.587 * g + 0.114 * b for r, g, b in zip(red, green, blue, strict=True))]  # type: ignore[list-item]


def ink_columns(ink: Ink, channels: int) -> list[Ends]:
    """The ranges of the text's ink; `sample_ink_levels` samples from them, for each character or for the image."""
    return level_columns(ink.level, ink.rgb, channels, ink.default_level)
