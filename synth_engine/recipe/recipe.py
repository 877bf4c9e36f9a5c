"""Recipe: the frozen description of how the images of one kind are made."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import msgspec

from synth_engine.errors import RecipeError
from synth_engine.recipe import toml
from synth_engine.recipe.checks import check_recipe
from synth_engine.recipe.picture import Pictures
from synth_engine.recipe.values import Placement, RecipeFields


class Recipe(RecipeFields, frozen=True, kw_only=True):
    """How an image is made: a value, compared by content. It makes no image itself; a `Synthesizer` does.

    Without ``picture`` an image is binary: turned characters in cells, a shared mask, pixel noise; the fastest path.
    With it, characters stand where ``placement`` or ``picture.layout`` says, and the other parts of
    `synth_engine.recipe.picture` apply.

    Every position of a text samples from ``alphabet``, or from its own entry of ``alphabets`` (as many as the longest
    text has characters); or whole texts are sampled from ``words``, all equally likely. In a TOML file ``words_file``
    may name a file with one word a line instead. Labels are indices into ``alphabet`` in any case. ``drawn_as`` gives a
    character another one's glyph: ``{"0": "O"}`` where the real images show a 0 without the font's dot or slash.

    `load`, `replace` and `checked` raise RecipeError for a recipe that makes no sense. The class itself, called in
    Python, raises ValueError for parts that contradict each other, and does not check types; a `Synthesizer` calls
    `checked` first. A recipe opens no font; a `Synthesizer` does.
    """

    def __post_init__(self) -> None:
        check_recipe(self)

    @property
    def key(self) -> str:
        """SHA-256 of the recipe's content (hex): equal recipes have equal keys."""
        normal = msgspec.convert(msgspec.to_builtins(self), Recipe)  # 6 px and 6.0 px are one length
        return hashlib.sha256(msgspec.json.encode(normal, order="deterministic")).hexdigest()

    @classmethod
    def named(cls, name: str) -> Recipe:
        """The built-in recipe of that name; raises RecipeError listing the names there are."""
        return _converted(toml.read_builtin(name), where=f"recipe {name}")

    @classmethod
    def load(cls, path: str | Path) -> Recipe:
        """The recipe in a TOML file; paths of fonts, masks, word lists and pictures are relative to its folder.

        Raises RecipeError saying where the file is wrong. Fonts are not opened.
        """
        path = Path(path)
        return _with_pictures(_converted(toml.read(path), where=str(path)), path.parent)

    @classmethod
    def resolve(cls, name_or_path: str) -> Recipe:
        """A built-in recipe's name, or the path of a TOML file (anything ending in ``.toml``)."""
        return cls.load(name_or_path) if name_or_path.endswith(".toml") else cls.named(name_or_path)

    def save(self, path: str | Path) -> None:
        """Write the recipe as TOML, whole or not at all; raises OSError as the file system does."""
        toml.write(Path(path), self)

    def checked(self) -> Recipe:
        """An equal recipe whose parts are of the right types and make sense: 6 px are 6.0 px where px may be parts.

        Raises RecipeError.
        """
        try:
            return msgspec.convert(msgspec.to_builtins(self), Recipe)
        except (TypeError, ValueError) as error:
            raise RecipeError(f"recipe {self.name}: {error}", self) from error

    def replace(self, **changes: object) -> Recipe:
        """A copy with these parts exchanged, checked anew; raises RecipeError where it makes no sense."""
        try:
            return msgspec.convert(msgspec.to_builtins(msgspec.structs.replace(self, **changes)), Recipe)
        except (TypeError, ValueError) as error:
            raise RecipeError(f"recipe {self.name} cannot be changed so: {error}", changes) from error

    def require_binary(self) -> Recipe:
        """This recipe; raises RecipeError for one in grey or RGB, which trainers and real images cannot use."""
        if self.color != "binary":
            raise RecipeError(
                f"recipe {self.name} paints in {self.color}, and real images are binarised: "
                'set `picture.color = "binary"`, and `binarize` as it suits them',
                self.color,
            )
        return self

    def require_placement(self) -> Placement:
        """The recipe's ``placement``; raises RecipeError for one whose characters stand in a ``picture.layout``."""
        if self.placement is None:
            raise RecipeError(f"recipe {self.name} has no `placement`, which cells are made from; give it", self.name)
        return self.placement


def _converted(data: dict[str, Any], *, where: str) -> Recipe:
    try:
        return msgspec.convert(data, Recipe)
    except ValueError as error:  # msgspec's own errors are of this kind too
        raise RecipeError(f"{where}: {error}{toml.hint(str(error))}", where) from error


def _with_pictures(recipe: Recipe, folder: Path) -> Recipe:
    """The recipe with the content of its ground's pictures, which its samples depend on."""
    picture = recipe.picture
    if picture is None or not isinstance(picture.ground, Pictures):
        return recipe
    return recipe.replace(picture=msgspec.structs.replace(picture, ground=toml.with_content(picture.ground, folder)))
