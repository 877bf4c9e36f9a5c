"""The ranges of ink: the text's, and those of clutter that has an ink of its own."""

from __future__ import annotations

from synth_engine.picture.stages.stage import Ends
from synth_engine.recipe import Ink, Level, low_high


def level_columns(level: Level, rgb: tuple[Level, Level, Level] | None, channels: int) -> list[Ends]:
    """One range a channel; a grey level in RGB is one range, whose number all channels share."""
    if rgb is None:
        return [low_high(level)]
    red, green, blue = map(low_high, rgb)
    if channels == 3:
        return [red, green, blue]
    return [tuple(0.299 * r + 0.587 * g + 0.114 * b for r, g, b in zip(red, green, blue, strict=True))]  # type: ignore[list-item]


def ink_columns(ink: Ink, channels: int) -> list[Ends]:
    """The ranges of the text's ink; `sample_ink_levels` samples from them, for each character or for the image.

    As a ground's, in grey they are those of ``level`` where it is given, else the luminance of ``rgb``.
    """
    level = ink.default_level if ink.level is None else ink.level
    return level_columns(level, ink.rgb if channels == 3 or ink.level is None else None, channels)
