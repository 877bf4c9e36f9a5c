"""Every exception that the project raises on purpose, under one base.

A message says what was expected, what was received and the remedy. The offending value is in ``value``, so that a
caller can act on it without parsing text.
"""

from __future__ import annotations

import warnings


class SynthError(Exception):
    """Base of the project's errors; ``value`` is the offending value, or None where there is no single one."""

    def __init__(self, message: str, value: object = None) -> None:
        super().__init__(message)
        self.value = value


class RecipeError(SynthError):
    """A recipe that cannot be read or that contradicts itself."""


class FontError(RecipeError):
    """A font that cannot be opened, lacks a character, cuts it off, or draws it like the other case."""


class StageError(RecipeError):
    """A user's own stage that raised while an image was rendered; ``value`` is its ``package.module:name``."""


class RejectionError(SynthError):
    """A filter or limit that rejects every candidate of a sample; ``value`` is the sample's index."""


class RealImagesError(SynthError):
    """Real images that cannot be used: none found, none of the right size, unreadable."""


class StreamError(SynthError):
    """A stream that cannot start or continue: no cluster, a lost worker, a timeout."""


class RunError(SynthError):
    """A run folder that is taken, incomplete, or made with another configuration."""


class ModelError(SynthError):
    """A saved network that is missing, damaged, or made for another recipe."""


class LabelError(SynthError):
    """A label file whose rows do not fit the images or the alphabet."""


class ArrayError(SynthError, ValueError):
    """An argument of a wrong shape, dtype, memory layout or range; it is a ValueError too."""


def __getattr__(name: str) -> type[RealImagesError]:
    if name == "TargetError":
        warnings.warn("TargetError is called RealImagesError now", DeprecationWarning, stacklevel=2)
        return RealImagesError
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
