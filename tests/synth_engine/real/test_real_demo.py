"""Demonstration images: the same bytes for a seed, resumable, with their texts in a file apart."""

from __future__ import annotations

import csv
import random
import secrets
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("captcha", reason="the optional package captcha renders the demonstration images")

from synth_engine import Recipe, Synthesizer
from synth_engine.errors import RealImagesError
from synth_engine.real import load_real_images, make_demo
from synth_engine.real.demo import render_demo, seeded_secrets, text_of


def files(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def test_a_seed_gives_the_same_bytes_and_another_seed_others() -> None:
    assert render_demo(3, seed=1) == render_demo(3, seed=1)
    assert len({render_demo(3, seed=1), render_demo(4, seed=1), render_demo(3, seed=2)}) == 3


def test_the_demo_fits_its_recipe(tmp_path: Path) -> None:
    demo = make_demo(tmp_path / "demo", 4, seed=1)
    real = load_real_images(demo.images, Recipe.named("captcha-demo"))
    with demo.truth.open() as file:
        truth = {row["name"]: row["text"] for row in csv.DictReader(file)}
    assert real.report.summary() == "4 read, 0 damaged, 0 of another size, 0 repeated"
    assert truth == {name: text_of(i, 1) for i, name in enumerate(real.names)}
    assert all(0.02 < image.mean() < 0.5 for image in real.images)


def test_a_stopped_demo_goes_on_to_the_same_files(tmp_path: Path) -> None:
    make_demo(tmp_path / "whole", 3, seed=5)
    make_demo(tmp_path / "stopped", 3, seed=5)
    (tmp_path / "stopped" / "images" / "demo-000001.png").unlink()
    (tmp_path / "stopped" / "truth.csv").unlink()
    make_demo(tmp_path / "stopped", 3, seed=5)
    assert files(tmp_path / "stopped") == files(tmp_path / "whole")


def test_a_complete_demo_is_not_rendered_again(tmp_path: Path) -> None:
    demo = make_demo(tmp_path, 2, seed=5)
    kept = demo.images / "demo-000000.png"
    kept.write_bytes(b"left alone")
    make_demo(tmp_path, 2, seed=5)
    assert kept.read_bytes() == b"left alone"


def test_another_demo_in_the_folder_is_an_error(tmp_path: Path) -> None:
    make_demo(tmp_path, 2, seed=5)
    with pytest.raises(RealImagesError, match=r"holds .*'seed': 5.*choose another"):
        make_demo(tmp_path, 2, seed=6)


def test_a_folder_of_other_files_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").touch()
    with pytest.raises(RealImagesError, match="new or empty folder"):
        make_demo(tmp_path, 2)
    assert [file.name for file in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_damaged_manifest_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text("{")
    with pytest.raises(RealImagesError, match="damaged"):
        make_demo(tmp_path, 2)


def test_no_image_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RealImagesError, match="at least 1 image"):
        make_demo(tmp_path, 0)


def test_the_systems_entropy_is_put_back_even_after_an_error() -> None:
    from captcha import image

    with pytest.raises(ZeroDivisionError), seeded_secrets(random.Random(0)):
        raise ZeroDivisionError
    assert image.secrets is secrets


def test_every_character_comes_about_equally_often() -> None:
    texts = "".join(text_of(i, 0) for i in range(9000))
    counts = np.array([texts.count(c) for c in "abcdefghijklmnopqrstuvwxyz0123456789"])
    assert counts.sum() == 36_000
    assert ((counts - 1000) ** 2 / 1000).sum() < 70  # chi squared, 35 degrees of freedom: p = 0.0004


def test_the_recipe_has_the_ink_of_the_demo(tmp_path: Path) -> None:
    recipe = Recipe.named("captcha-demo")
    real = load_real_images(make_demo(tmp_path / "demo", 100, seed=1).images, recipe).images
    rendered = Synthesizer(recipe, 0).batch(0, 200).images
    assert abs(real.mean() - rendered.mean()) < 0.03
    assert np.abs(real.mean(axis=(0, 2)) - rendered.mean(axis=(0, 2))).mean() < 0.06
    assert np.abs(real.mean(axis=(0, 1)) - rendered.mean(axis=(0, 1))).mean() < 0.05
