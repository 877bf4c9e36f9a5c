"""The ranges of ink: the text's, and those of clutter that has an ink of its own."""

from __future__ import annotations

from synth_engine.parts import Ink, Level
from synth_engine.picture.stage import Ends


def level_columns(level: Level, rgb: tuple[Level, Level, Level] | None, channels: int) -> list[Ends]:
    """One range a channel; a grey level in RGB is one range, whose draw all channels share."""
    if channels == 3 and rgb is not None:
        return list(rgb)
    if rgb is None:
        return [level]
    red, green, blue = rgb
    return [tuple(0.299 * r + 0.587 * g + 0.114 * b for r, g, b in zip(red, green, blue, strict=True))]  # type: ignore[list-item]


def ink_columns(ink: Ink, channels: int) -> list[Ends]:
    """The ranges of the text's ink; `draw_inks` draws from them for each character."""
    return level_columns(ink.level, ink.rgb, channels)
