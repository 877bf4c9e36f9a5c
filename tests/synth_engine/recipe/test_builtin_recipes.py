"""The built-in recipes, and the fonts that they name."""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import packages_distributions
from importlib.resources import files
from pathlib import Path

import msgspec
import pytest

from synth_engine import Recipe

NAMES = sorted(entry.name.removesuffix(".toml") for entry in (files("synth_engine.recipe") / "builtin").iterdir())
PYPROJECT = Path(__file__).parents[3] / "pyproject.toml"


@pytest.mark.parametrize("name", NAMES)
def test_every_font_comes_with_the_base_install_and_an_exact_pin(name: str) -> None:
    """Another version of a font would draw other samples."""
    dependencies = tomllib.loads(PYPROJECT.read_text())["project"]["dependencies"]
    pinned = {found[1] for line in dependencies if (found := re.fullmatch(r"([\w-]+)==[\w.]+", line))}
    brought_by = packages_distributions()
    for font in Recipe.named(name).fonts:
        package = font.file.removeprefix("package:").partition("/")[0]
        assert set(brought_by[package]) & pinned, font.file


def test_the_draft_differs_from_the_demo_in_its_ink_alone() -> None:
    demo, draft = Recipe.named("captcha-demo"), Recipe.named("captcha-draft")
    assert demo.picture
    assert draft.picture
    ink = {name: getattr(demo.picture, name) for name in ("ink", "ground", "camera", "clutter")}
    assert draft.replace(name=demo.name, picture=msgspec.structs.replace(draft.picture, **ink)) == demo


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("hackmit", "c9d6c24c5e1e4dcc"),
        ("hackmit-target", "abc5428cbad1d61e"),
        ("captcha-demo", "2932a7acd6e7aa64"),
        ("captcha-draft", "580baffedbf249ae"),
    ],
)
def test_keys_are_pinned(name: str, key: str) -> None:
    """Data sets and saved readers know their recipe by its key, so a default or a field's type may not change it."""
    assert Recipe.named(name).key[:16] == key
