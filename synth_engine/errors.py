"""Every exception that the project raises on purpose, under one base.

A message says what was expected, what was received and the remedy; the offending value is kept in ``value`` so that
a caller can act on it without parsing text.
"""

from __future__ import annotations

import warnings
from typing import Any


class SynthError(Exception):
    """Base of the project's errors; ``value`` holds what was wrong, where one value was."""

    def __init__(self, message: str, value: object = None) -> None:
        super().__init__(message)
        self.value = value


class RecipeError(SynthError):
    """A recipe that cannot be read or that contradicts itself."""


class FontError(RecipeError):
    """A font that cannot be opened, lacks a character, or draws it like another case."""


class StageError(RecipeError):
    """A stage of the user's own that raised while an image was drawn; ``value`` is its ``package.module:name``."""


class RejectionError(SynthError):
    """A filter that rejects every candidate: raised instead of trying for ever."""


class RealImagesError(SynthError):
    """Real images that cannot be used: none found, none of the right size, unreadable."""


class StreamError(SynthError):
    """A stream that cannot start or go on: no cluster, a lost worker, a timeout."""


class RunError(SynthError):
    """A run folder that is taken, incomplete, or made with another configuration."""


class ModelError(SynthError):
    """A saved network that is missing, damaged, or made for another recipe."""


class LabelError(SynthError):
    """A label file whose rows do not fit the images or the alphabet."""


class ArrayError(SynthError, ValueError):
    """A caller's array of another shape, dtype or memory layout than the recipe asks for."""


def __getattr__(name: str) -> Any:
    if name == "TargetError":
        warnings.warn("TargetError is called RealImagesError now", DeprecationWarning, stacklevel=2)
        return RealImagesError
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
