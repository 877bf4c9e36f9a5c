"""Readers trained apart, compared on images without labels."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image

from classifier.confidence.agreement import class_distance, compare_readings, disputed, estimates
from classifier.networks.readings import Readings
from synth_engine import Recipe, Synthesizer
from synth_engine.errors import ModelError
from synth_engine.json_files import write_json
from synth_engine.recipe import Binarize, Canvas
from synth_engine.samples import PADDING
from synth_engine.training.run_folder import CONFIG, CONFIG_KIND

CLASSES = 10
COUNT = 6


def readings(codes: np.ndarray, certainty: float | np.ndarray = 0.9) -> Readings:
    sure = np.broadcast_to(np.float32(certainty), codes.shape).astype(np.float32)
    nothing = np.zeros((*codes.shape, 2), np.float32)
    return Readings(codes=codes.astype(np.uint8), certainty=sure, points=nothing, scores=nothing)


def texts(seed: int, count: int = 4000) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, CLASSES, (count, 4))


def wavering(true: np.ndarray, doubtful: np.ndarray, seed: int) -> Readings:
    """A reader that tosses a coin between two classes where it is ``doubtful``."""
    tossed = np.random.default_rng(seed).random(true.shape) < 0.5
    return readings(np.where(doubtful & tossed, (true + 1) % CLASSES, true))


def test_identical_readers_agree_on_all() -> None:
    codes = texts(1)
    (pair,) = compare_readings([readings(codes), readings(codes, 0.5)])
    assert (pair.texts, pair.characters, pair.lengths, pair.right_at_most) == (1, 1, 1, 1)
    assert pair.compared == codes.size
    assert pair.disputes == ()
    assert len(disputed([readings(codes), readings(codes)], 5)[0]) == 0


def test_a_planted_disagreement_is_counted_and_named() -> None:
    first = np.tile([1, 2, 3, 4], (100, 1))
    second = first.copy()
    second[:7, 0], second[5:8, 2] = 9, 1
    (pair,) = compare_readings([readings(first), readings(second)])
    assert pair.disputes == ((1, 9, 7), (3, 1, 3))
    assert (pair.texts, pair.characters) == pytest.approx((0.92, 0.975))


def test_texts_of_other_lengths_differ_but_their_characters_are_not_compared() -> None:
    first = np.array([[1, 2, 3], [1, 2, PADDING], [4, PADDING, PADDING]])
    second = np.array([[1, 2], [1, 3], [4, PADDING]])  # at most two characters
    (pair,) = compare_readings([readings(first), readings(second)])
    assert (pair.texts, pair.lengths) == pytest.approx((1 / 3, 2 / 3))
    assert (pair.compared, pair.characters, pair.disputes) == (3, pytest.approx(2 / 3), ((2, 3, 1),))


@pytest.mark.parametrize("hard", [0.02, 0.2, 0.5])
def test_the_estimate_is_near_the_truth_where_readers_err_independently(hard: float) -> None:
    true = texts(2)
    doubtful = np.random.default_rng(3).random(true.shape) < hard
    read = [wavering(true, doubtful, seed) for seed in (4, 5, 6)]
    right = [(one.codes == true).all(axis=1).mean() for one in read]
    assert estimates(compare_readings(read)) == pytest.approx(right, abs=0.03)


def test_errors_that_never_meet_stay_below_the_bound_and_shared_ones_are_not_seen() -> None:
    true, draws = texts(2), np.random.default_rng(7)
    wrong = draws.random((2, len(true))) < 0.1
    wrong[1] &= ~wrong[0]
    apart = [readings(np.where(one[:, np.newaxis], (true + 1) % CLASSES, true)) for one in wrong]
    (pair,) = compare_readings(apart)
    assert pair.right_at_most == pytest.approx(1 - wrong.mean())
    assert estimates(compare_readings([apart[0], apart[0]])) == (1, 1)


def test_of_three_readers_the_odd_one_is_estimated_lowest() -> None:
    true = texts(2)
    rarely, often = (np.random.default_rng(3).random(true.shape) < hard for hard in (0.05, 0.5))
    read = [wavering(true, doubtful, seed) for seed, doubtful in enumerate((rarely, rarely, often))]
    good, fair, odd = estimates(compare_readings(read))
    assert odd < min(good, fair) - 0.1


def test_the_surest_disputes_come_first() -> None:
    first, second = np.tile([1, 2], (4, 1)), np.tile([1, 2], (4, 1))
    second[[0, 2, 3]] = [1, 3]
    sure = np.array([[0.5, 0.5], [0.99, 0.99], [0.9, 0.9], [0.1, 0.1]])
    order, surely = disputed([readings(first, 0.95), readings(second, sure)], 2)
    assert order.tolist() == [2, 0]
    assert surely == pytest.approx([0.81, 0.25])


def test_classes_are_as_far_from_their_shares_as_chance_or_as_planted() -> None:
    uniform = np.full(CLASSES, 1 / CLASSES, np.float32)
    near = [class_distance(texts(seed, 500).astype(np.uint8), uniform) for seed in range(20)]
    assert np.mean([one.found for one in near]) == pytest.approx(near[0].chance, rel=0.15)
    swallowed = texts(1)
    swallowed[swallowed == 3] = 5
    assert class_distance(swallowed.astype(np.uint8), uniform).found == pytest.approx(0.1, abs=0.01)


# The command, with networks that never learnt: they differ by their seeds.


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
