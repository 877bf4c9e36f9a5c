"""classifier.compare with networks that have not learnt: they differ by their seeds."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from PIL import Image

from synth_engine import Recipe, Synthesizer
from synth_engine.errors import ModelError
from synth_engine.json_files import write_json
from synth_engine.recipe import Binarize, Canvas
from synth_engine.training.run_folder import CONFIG, CONFIG_KIND

COUNT = 6


def network(folder: Path, recipe: Recipe, seed: int) -> Path:
    keras = pytest.importorskip("keras")
    from classifier.networks.heads import build
    from classifier.reading.reader import save_reader

    keras.utils.set_random_seed(seed)
    folder.mkdir()
    write_json(folder / CONFIG, CONFIG_KIND, {"seed": seed})
    return save_reader(build("grid", recipe, width=4, depth=2), recipe, folder)


@pytest.fixture
def images(tiny: Recipe, tmp_path: Path) -> Path:
    folder = tmp_path / "images"
    folder.mkdir()
    for k, image in enumerate(Synthesizer(tiny, 2).batch(0, COUNT).images):
        Image.fromarray(image * 255).save(folder / f"image{k}.png")
    return folder


def run(models: list[Path], *arguments: object) -> Result:
    from classifier.compare import main

    options = [text for model in models for text in ("--model", str(model))]
    return CliRunner().invoke(main, [*options, *map(str, arguments)], catch_exceptions=False)


def test_the_command_prints_and_writes_the_same(tiny: Recipe, images: Path, tmp_path: Path) -> None:
    models = [network(tmp_path / str(seed), tiny, seed) for seed in range(3)]
    (images / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n and no more")
    result = run(models, images, "--out", tmp_path / "out")
    found = json.loads((tmp_path / "out" / "compare.json").read_text())
    assert [pair["readers"] for pair in found["pairs"]] == [["A", "B"], ["A", "C"], ["B", "C"]]
    assert found["images"] == COUNT
    for pair in found["pairs"]:
        assert f"agree on {pair['texts']:.1%} of texts" in result.stdout
        assert sum(one["count"] for one in pair["disputes"]) == round((1 - pair["characters"]) * COUNT * 2)
    first = found["pairs"][0]["disputes"][0]
    assert f"A reads {first['A']} where B reads {first['B']}: " in result.stdout
    for letter, one in found["readers"].items():
        assert f"{letter}: estimated right {one['estimated_right']:.1%}" in result.stdout
    assert "are not seen: the estimates are upper bounds" in result.stdout
    assert "1 damaged" in result.stderr
    assert all(len(set(one["texts"].values())) > 1 for one in found["disputed"])
    assert Image.open(tmp_path / "out" / "disputed.png").size[0] > 2 * 40


def test_readers_that_never_differ_leave_no_sheet(tiny: Recipe, images: Path, tmp_path: Path) -> None:
    from classifier.reading.reader import Reader

    first, out = network(tmp_path / "a", tiny, 0), tmp_path / "out"
    network(tmp_path / "b", tiny, 1)
    run([first, tmp_path / "b" / first.name], images, "--out", out)
    twin = Reader.load(first)
    twin.network.layers[-1].name = "twin"  # another file of the same weights
    twin.save(tmp_path / "b")
    result = run([first, tmp_path / "b" / first.name], images, "--out", out, "--limit", 4)
    assert "4 images, no label read" in result.stdout
    assert "agree on 100.0% of texts, 100.0% of characters" in result.stdout
    assert json.loads((out / "compare.json").read_text())["disputed"] == []
    assert not (out / "disputed.png").exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"alphabet": "acx18"}, "a/classifier.keras has the alphabet 'acx17', .*b/classifier.keras has 'acx18'; train"),
        ({"canvas": Canvas(width_px=48, height_px=24)}, r"a canvas \(height, width in px\) \(24, 40\), .* \(24, 48\)"),
        ({"binarize": Binarize(ink="dark")}, "the binarising Binarize.*ink='light'.*ink='dark'"),
    ],
)
def test_readers_of_other_images_are_refused(
    tiny: Recipe, images: Path, tmp_path: Path, change: dict[str, object], message: str
) -> None:
    other = tiny.replace(**change)
    with pytest.raises(ModelError, match=message):
        run([network(tmp_path / "a", tiny, 0), network(tmp_path / "b", other, 1)], images)


def test_one_reader_is_not_compared_with_itself(tiny: Recipe, images: Path, tmp_path: Path) -> None:
    model = network(tmp_path / "a", tiny, 0)
    with pytest.raises(ModelError, match="expected 2 to 26 readers to compare, received 1; give --model once for each"):
        run([model], images)
    with pytest.raises(ModelError, match=r"one and the same; train another with classifier\.train --seed"):
        run([model, model], images)


def test_readers_that_share_a_seed_or_their_first_network_bring_a_warning(
    tiny: Recipe, images: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    model, alike, other = (network(tmp_path / name, tiny, seed) for name, seed in (("a", 0), ("b", 0), ("c", 1)))
    alike.write_bytes(other.read_bytes())  # another network of the same seed
    run([model, alike], images)
    assert "both trained from seed 0" in caplog.text
    caplog.clear()
    run([model, other], images)
    assert "both trained" not in caplog.text
    for seed, path in enumerate((model, other)):
        write_json(path.with_name(CONFIG), CONFIG_KIND, {"seed": seed, "start_from": "first.keras"})
    run([model, other], images)
    assert "both trained from network first.keras" in caplog.text
